import { createServer, type RequestListener, type Server } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { createEventSearch, type SearchOutcome } from "./event-search.ts";
import { anEvent } from "./stand-in/event.ts";
import { startStandInApi } from "./stand-in/stand-in-api.ts";

const QUERY = { start: 1_000, end: 2_000 };
const closes: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closes.splice(0)) await close();
});

describe("search", () => {
  test("gives all events between two times over its pages, the oldest first", async () => {
    const api = await startStandInApi();
    closes.push(() => api.stop());
    const ids = Array.from({ length: 150 }, (_, n) => `${1000 + n}.abc`);
    for (const [n, event_id] of ids.entries()) api.add(anEvent({ event_id, timestamp: 1000 + n }));
    const events = createEventSearch({ apiKey: "secret", region: "us", apiUrl: api.url });
    const first = await events.search({ start: 1000, end: 1149 });
    const second = await events.search({ start: 1000, end: 1149, paginationKey: keyOf(first) });
    expect([idsOf(first).length, idsOf(second).length, keyOf(second)]).toEqual([100, 50, undefined]);
    expect([...idsOf(first), ...idsOf(second)]).toEqual(ids);
  });

  test("asks as the vendor says", async () => {
    const asked: { path: string; query: Record<string, string>; authorization: string | undefined }[] = [];
    await searching(
      (request, response) => {
        const { pathname, searchParams } = new URL(request.url ?? "", "http://vendor");
        const { ii: _, ...query } = Object.fromEntries(searchParams);
        asked.push({ path: pathname, query, authorization: request.headers.authorization });
        response.setHeader("content-type", "application/json").end('{"events":[]}');
      },
      { paginationKey: "abc/+" },
    );
    const query = { limit: "100", start: "1000", end: "2000", reverse: "true", pagination_key: "abc/+" };
    expect(asked).toEqual([{ path: "/v4/events", query, authorization: "Bearer secret" }]);
  });

  test.each<[number, string, Record<string, string>, SearchOutcome]>([
    [400, error("request_cannot_be_parsed", "invalid start time"), {}, { status: "rejected" }],
    [400, "<html>", {}, { status: "unavailable", reason: "http_4xx" }],
    [403, error("wrong_region", "wrong region"), {}, { status: "refused", code: "wrong_region" }],
    [429, error("too_many_requests", "too many requests"), {}, { status: "throttled", scope: "key" }],
    [
      429,
      error("too_many_requests", "too many search requests"),
      { "retry-after": "7" },
      { status: "throttled", scope: "search", retryAfterMs: 7000 },
    ],
    [429, "", { "retry-after": "soon" }, { status: "throttled", scope: "key" }],
    [500, error("failed", "internal server error"), {}, { status: "unavailable", reason: "http_5xx" }],
    [504, error("failed", "gateway timeout"), {}, { status: "too_slow" }],
    [302, "", { location: "/" }, { status: "unavailable", reason: "http_3xx" }],
    [200, "{}", {}, { status: "unavailable", reason: "invalid_body" }],
    [200, '{"events":', {}, { status: "unavailable", reason: "invalid_body" }],
    [200, '{"events":[1],"pagination_key":""}', {}, { status: "page", events: [1] }],
  ])("judges %i %s with %o", async (status, body, headers, outcome) => {
    const answered = await searching((_, response) =>
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(body),
    );
    expect(answered).toEqual(outcome);
  });

  test("says that a page is not known, where it asked for one", async () => {
    const body = error("request_cannot_be_parsed", "invalid pagination key");
    const answered = await searching((_, response) => response.writeHead(400).end(body), { paginationKey: "old" });
    expect(answered).toEqual({ status: "page_unknown" });
  });

  test("says that an answer takes too long, and rejects when it is called off", async () => {
    const hang: RequestListener = () => undefined;
    expect(await searching(hang, {}, 20)).toEqual({ status: "too_slow" });
    const events = createEventSearch({ apiKey: "secret", region: "us", apiUrl: await serve(hang) });
    await expect(events.search(QUERY, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  });
});

function error(code: string, message: string): string {
  return JSON.stringify({ error: { code, message } });
}

function keyOf(outcome: SearchOutcome): string | undefined {
  return outcome.status === "page" ? outcome.paginationKey : undefined;
}

function idsOf(outcome: SearchOutcome): unknown[] {
  if (outcome.status !== "page") return [];
  return outcome.events.map((event) => typeof event === "object" && event && "event_id" in event && event.event_id);
}

async function searching(
  listener: RequestListener,
  query: { paginationKey?: string } = {},
  timeoutMs = 5000,
): Promise<SearchOutcome> {
  const apiUrl = await serve(listener);
  return await createEventSearch({ apiKey: "secret", region: "us", apiUrl, timeoutMs }).search({ ...QUERY, ...query });
}

async function serve(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closes.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}
