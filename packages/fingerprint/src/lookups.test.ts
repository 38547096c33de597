import { createServer, type RequestListener, type Server } from "node:http";
import { MAX_EVENT_BYTES } from "@assay/protocol";
import { afterEach, describe, expect, test } from "vitest";
import { createLookups, type Lookups, type LookupsOptions } from "./lookups.ts";

const ID = "1708102555327.NLOjmg";
const EVENT = { event_id: ID, timestamp: 1708102555327, bot: "bad" };
const JSON_TYPE = "application/json";

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

describe("createLookups", () => {
  test("names the key by the first 8 hex characters of its SHA-256", async () => {
    expect(createLookups({ apiKey: "secret", region: "us" }).keyId).toBe("2bb80d53");
  });

  test("refuses an empty key and a base that is no URL", () => {
    expect(() => createLookups({ apiKey: "", region: "us" })).toThrow("API key is empty");
    expect(() => createLookups({ apiKey: "a", region: "us", apiUrl: "api" })).toThrow("Invalid URL");
  });

  test.each([
    ["us", "https://api.fpjs.io/v4/events/a.b"],
    ["eu", "https://eu.api.fpjs.io/v4/events/a.b"],
    ["ap", "https://ap.api.fpjs.io/v4/events/a.b"],
  ] as const)("asks the host of region %s with the key as a bearer", async (region, url) => {
    const asked: { url: string; authorization: string | null }[] = [];
    const lookups = createLookups({
      apiKey: "secret",
      region,
      fetch: async (input, init) => {
        const request = new Request(input, init);
        asked.push({ url: request.url.replace(/\?.*/, ""), authorization: request.headers.get("authorization") });
        return Response.json(EVENT);
      },
    });
    await lookups.lookup("a.b");
    expect(asked).toEqual([{ url, authorization: "Bearer secret" }]);
  });

  test("asks by a ruleset of the vendor's where one is named", async () => {
    const asked: (string | null)[] = [];
    const base = await serve((request, response) => {
      asked.push(new URL(request.url ?? "", "http://vendor").searchParams.get("ruleset_id"));
      response.setHeader("content-type", JSON_TYPE).end(JSON.stringify(EVENT));
    });
    for (const more of [{}, { rulesetId: "D6N9Kbk9HRWrIWGz" }])
      await createLookups({ apiKey: "secret", region: "us", apiUrl: base, ...more }).lookup(ID);
    expect(asked).toEqual([null, "D6N9Kbk9HRWrIWGz"]);
  });

  test.each(["", "/", "/proxy", "/proxy/"])("asks under another base with path %j", async (path) => {
    const asked: (string | undefined)[] = [];
    const base = await serve((request, response) => {
      asked.push(request.url?.replace(/\?.*/, ""));
      response.setHeader("content-type", JSON_TYPE).end(JSON.stringify(EVENT));
    });
    await createLookups({ apiKey: "secret", region: "us", apiUrl: `${base}${path}` }).lookup(ID);
    expect(asked).toEqual([`${path.replace(/\/$/, "")}/v4/events/${ID}`]);
  });
});

describe("lookup", () => {
  test("gives the event's JSON as it came", async () => {
    expect(await answered(200, JSON.stringify(EVENT))).toEqual({ status: "event", json: EVENT });
  });

  test("does not ask for what is no event id", async () => {
    const lookups = createLookups({ apiKey: "a", region: "us", fetch: () => Promise.reject(new Error("was asked")) });
    expect(await lookups.lookup("../visitors/x")).toEqual({ status: "not_found" });
  });

  test.each([
    ["an unknown id", 404, error("event_not_found")],
    ["an unknown id, said by a proxy", 404, "<html>"],
    ["an id that the vendor cannot read", 400, error("request_cannot_be_parsed")],
  ])("finds nothing: %s", async (_, status, body) => {
    expect(await answered(status, body)).toEqual({ status: "not_found" });
  });

  test.each([
    ["by the vendor", 429, error("too_many_requests")],
    ["by a proxy", 429, "<html>"],
    ["inside a 200 of v3", 200, products({ code: "429 Too Many Requests", message: "too many requests" })],
    ["inside a 200 of v3, by its other name", 200, products({ code: "TooManyRequests", message: "too many requests" })],
  ])("is throttled %s", async (_, status, body) => {
    expect(await answered(status, body)).toEqual({ status: "throttled" });
  });

  test.each([
    [403, error("secret_api_key_not_found"), "secret_api_key_not_found"],
    [403, error("wrong_region"), "wrong_region"],
    [403, error("of_tomorrow"), "other"],
    [403, "<html>", "other"],
    [401, "", "other"],
  ])("is refused by a %i, and says why: %s", async (status, body, code) => {
    expect(await answered(status, body)).toEqual({ status: "refused", setting: "key", code });
  });

  test("is refused by a ruleset that the vendor does not know", async () => {
    expect(await answered(400, error("ruleset_not_found"))).toEqual({
      status: "refused",
      setting: "ruleset",
      code: "ruleset_not_found",
    });
  });

  test.each([
    [500, error("failed"), "http_5xx"],
    [502, "<html>", "http_5xx"],
    [503, "", "http_5xx"],
    [400, "<html>", "http_4xx"],
    [409, error("state_not_ready"), "http_4xx"],
    [302, "", "http_3xx"],
    [204, "", "invalid_body"],
    [200, "", "invalid_body"],
    [200, '{"event_id":', "invalid_body"],
    [200, products({ code: "Failed", message: "internal server error" }), "product_failed"],
    [200, JSON.stringify({ ...EVENT, tags: "x".repeat(MAX_EVENT_BYTES) }), "body_too_large"],
  ])("is unavailable by a %i", async (status, body, reason) => {
    expect(await answered(status, body)).toEqual({ status: "unavailable", reason });
  });

  test("is unavailable when a 200 is no JSON", async () => {
    expect(await answered(200, JSON.stringify(EVENT), "text/html")).toEqual({
      status: "unavailable",
      reason: "invalid_body",
    });
  });

  test("is unavailable when nobody listens", async () => {
    const base = await serve(() => undefined);
    await new Promise((resolve) => servers[0]?.close(resolve));
    expect(await at(base).lookup(ID)).toEqual({ status: "unavailable", reason: "network" });
  });

  test("is unavailable when the answer breaks off", async () => {
    const base = await serve((_, response) => {
      response.writeHead(200, { "content-type": JSON_TYPE, "content-length": 100 }).write("{");
      response.destroy();
    });
    expect(await at(base).lookup(ID)).toEqual({ status: "unavailable", reason: "network" });
  });

  test("does not follow a redirect with the key", async () => {
    const asked: (string | undefined)[] = [];
    const base = await serve((request, response) => {
      asked.push(request.url);
      response.writeHead(302, { location: "/elsewhere" }).end();
    });
    await at(base).lookup(ID);
    expect(asked).toHaveLength(1);
  });

  test("times out when no answer begins", async () => {
    const base = await serve(() => undefined);
    expect(await at(base, { timeoutMs: 30 }).lookup(ID)).toEqual({ status: "unavailable", reason: "timeout" });
  });

  test("times out when an answer does not end", async () => {
    const base = await serve((_, response) => {
      response.writeHead(200, { "content-type": JSON_TYPE }).write("{");
    });
    expect(await at(base, { timeoutMs: 30 }).lookup(ID)).toEqual({ status: "unavailable", reason: "timeout" });
  });

  test("rejects with the reason of the caller's abort", async () => {
    const controller = new AbortController();
    const reason = new Error("job cancelled");
    const base = await serve(() => controller.abort(reason));
    await expect(at(base).lookup(ID, { signal: controller.signal })).rejects.toBe(reason);
  });

  test("does not ask once the caller has aborted", async () => {
    const reason = new Error("job cancelled");
    const lookups = createLookups({ apiKey: "a", region: "us", fetch: () => Promise.reject(new Error("was asked")) });
    await expect(lookups.lookup(ID, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

async function answered(status: number, body: string, contentType = JSON_TYPE): Promise<unknown> {
  const base = await serve((_, response) => response.writeHead(status, { "content-type": contentType }).end(body));
  return await at(base).lookup(ID);
}

function at(apiUrl: string, options: Partial<LookupsOptions> = {}): Lookups {
  return createLookups({ apiKey: "secret", region: "us", apiUrl, ...options });
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  return `http://127.0.0.1:${address.port}`;
}

function error(code: string): string {
  return JSON.stringify({ error: { code, message: "what went wrong" } });
}

function products(productError: { code: string; message: string }): string {
  return JSON.stringify({ products: { identification: { error: productError } } });
}
