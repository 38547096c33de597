import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, test } from "vitest";
import { createHttpTransport } from "./http-transport.ts";
import type { Transport } from "./transport.ts";

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Status and body of an answer; `hang` never answers, `cut` closes the connection. */
type Reply = readonly [number, unknown] | "hang" | "cut";

const BUDGET = { timeoutMs: 2000 };
const VERDICT = { schema: "assay.verdict/1", id: "s_1", action: "block" };
const SHED = { code: "overloaded", detail: "Too much.", id: "s_1" };

let server: Server | undefined;
let seen: Seen[];

afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  if (server?.listening === true) await once(server, "close");
});

/** A door that gives these replies in order, the last one again and again. */
async function aDoor(...replies: Reply[]): Promise<Transport> {
  seen = [];
  server = createServer((request, response) => {
    void text(request).then((body) => {
      seen.push({ method: request.method, url: request.url, headers: request.headers, body });
      const reply = replies[Math.min(seen.length, replies.length) - 1] ?? "hang";
      if (reply === "cut") return request.socket.destroy();
      if (reply === "hang") return undefined;
      const [status, answer] = reply;
      return response.writeHead(status).end(typeof answer === "string" ? answer : JSON.stringify(answer));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return createHttpTransport({ url: `http://127.0.0.1:${port}/assay`, key: "secret" });
}

function waitOf(url: string | undefined): number {
  return Number(new URL(url ?? "", "http://door").searchParams.get("wait"));
}

describe("createHttpTransport", () => {
  test("sends the submission with its key and its credentials, below the path of the url", async () => {
    const door = await aDoor([202, { id: "s_1", status: "accepted", durability: "local" }]);
    const receipt = await door.submit({ event_id: "event-1" }, "login-7", BUDGET);
    expect(receipt).toEqual({ id: "s_1", status: "accepted", durability: "local" });
    expect(seen).toMatchObject([
      {
        method: "POST",
        url: "/assay/v1/submissions",
        headers: { authorization: "Bearer secret", "idempotency-key": "login-7", "content-type": "application/json" },
        body: `{"event_id":"event-1"}`,
      },
    ]);
  });

  test("repeats with the same key what a cut connection or a 503 leaves unknown", async () => {
    const door = await aDoor("cut", [503, SHED], [502, "<html>"], [202, { id: "s_1", status: "duplicate" }]);
    expect(await door.submit({ event_id: "event-1" }, "login-7", BUDGET)).toEqual({ id: "s_1", status: "duplicate" });
    expect(seen.map(({ headers }) => headers["idempotency-key"])).toEqual(Array(4).fill("login-7"));
  });

  test("sends an outcome, and repeats it with the same key", async () => {
    const told = { id: "o_1", submission_id: "s_1", status: "duplicate", durability: "local" };
    const door = await aDoor("cut", [503, SHED], [202, told]);
    expect(await door.report({ event_id: "event-1", label: "fraud" }, "case-7", BUDGET)).toEqual(told);
    expect(seen).toHaveLength(3);
    for (const request of seen) {
      expect(request).toMatchObject({
        method: "POST",
        url: "/assay/v1/outcomes",
        headers: { "idempotency-key": "case-7" },
        body: `{"event_id":"event-1","label":"fraud"}`,
      });
    }
  });

  test("does not take an answer to an outcome that names no submission", async () => {
    const door = await aDoor([202, { id: "o_1", status: "accepted" }]);
    await expect(door.report({ event_id: "e", label: "fraud" }, "case-7", BUDGET)).rejects.toMatchObject({
      code: "internal_error",
    });
  });

  test("repeats nothing that was refused", async () => {
    const door = await aDoor([401, { code: "unauthorized", detail: "Send a key." }]);
    await expect(door.submit({ event_id: "event-1" }, "login-7", BUDGET)).rejects.toMatchObject({
      code: "unauthorized",
      message: "Send a key.",
    });
    expect(seen).toHaveLength(1);
  });

  test("asks the door to wait a little less than there is time", async () => {
    const door = await aDoor([200, VERDICT]);
    expect(await door.submitAndWait({ event_id: "event-1" }, "login-7", { timeoutMs: 300 })).toEqual({
      id: "s_1",
      verdict: VERDICT,
    });
    expect(waitOf(seen[0]?.url)).toBeGreaterThan(0.2);
    expect(waitOf(seen[0]?.url)).toBeLessThanOrEqual(0.27);
  });

  test("asks a second time only for what is left", async () => {
    const door = await aDoor([503, SHED], [200, VERDICT]);
    await door.submitAndWait({ event_id: "event-1" }, "login-7", { timeoutMs: 300 });
    expect(waitOf(seen[1]?.url)).toBeLessThanOrEqual(waitOf(seen[0]?.url) - 0.02);
  });

  test("never asks the door for more than 30 s, and goes on with the verdict alone", async () => {
    const door = await aDoor([202, { id: "s_1", status: "pending" }], [200, VERDICT]);
    const { verdict } = await door.submitAndWait({ event_id: "event-1" }, "login-7", { timeoutMs: 60_000 });
    expect(verdict).toEqual(VERDICT);
    expect(seen.map(({ url }) => url?.split("?")[0])).toEqual(["/assay/v1/submissions", "/assay/v1/verdicts/s_1"]);
    expect(seen.map(({ url }) => waitOf(url))).toEqual([30, 30]);
  });

  test("says what the door said last when the time is over", async () => {
    const door = await aDoor([503, SHED], "hang");
    await expect(door.submitAndWait({ event_id: "e" }, "login-7", { timeoutMs: 200 })).rejects.toMatchObject({
      code: "overloaded",
      id: "s_1",
    });
  });

  test("is unavailable when nobody listens", async () => {
    const door = createHttpTransport({ url: "http://127.0.0.1:1", key: "secret" });
    await expect(door.submit({ event_id: "e" }, "login-7", { timeoutMs: 100 })).rejects.toMatchObject({
      code: "unavailable",
      retryable: true,
    });
  });

  test.each<[string, Reply]>([
    ["no JSON", [200, "<html>"]],
    ["no verdict", [200, { hello: "world" }]],
    ["no id", [202, {}]],
  ])("takes an answer that is %s for no answer of Assay's", async (_, reply) => {
    const door = await aDoor(reply);
    await expect(door.submitAndWait({ event_id: "e" }, "login-7", BUDGET)).rejects.toMatchObject({
      code: "internal_error",
      retryable: true,
    });
  });

  test("tells a wrong url from a submission that is not known", async () => {
    const wrong = await aDoor([404, "<html>"]);
    await expect(wrong.getVerdict("s_1", BUDGET)).rejects.toMatchObject({ code: "not_found" });
    server?.close();
    const right = await aDoor([404, { code: "submission_not_found", detail: "None." }]);
    expect(await right.getVerdict("s_1", BUDGET)).toBeUndefined();
  });

  test("lets no id leave its place in the path", async () => {
    const door = await aDoor([404, { code: "submission_not_found" }]);
    await door.getVerdict("../events/x?y", BUDGET);
    expect(seen[0]?.url).toBe("/assay/v1/verdicts/..%2Fevents%2Fx%3Fy");
  });

  test("sends through the fetch it was given", async () => {
    const door = createHttpTransport({
      url: "https://assay.example",
      key: "secret",
      fetch: () => Promise.resolve(Response.json(VERDICT)),
    });
    expect(await door.getVerdict("s_1", BUDGET)).toEqual(VERDICT);
  });

  test("refuses what is no URL", () => {
    expect(() => createHttpTransport({ url: "assay.example", key: "secret" })).toThrow(TypeError);
  });
});
