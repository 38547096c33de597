import { isRecord } from "@assay/protocol";
import { connect } from "node:net";
import { text as textOf } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { aProblem, type OpenIngress, SHOP_KEY, startIngress } from "./open-ingress.ts";

let door: OpenIngress;
beforeAll(async () => {
  door = await startIngress(inject("redisUrl"));
});
afterAll(() => door.close());

describe("the data port", () => {
  test.each(["/", "/v1", "/v1/nothing", "/metrics", "/v1/%zz"])("answers 404 to %s", async (path) => {
    expect(await door.request(path)).toEqual(aProblem(404, "not_found"));
  });

  test.each([
    ["GET", "/v1/submissions", "POST"],
    ["DELETE", "/v1/verdicts/s_1", "GET, HEAD"],
    ["PUT", "/v1/webhooks/fingerprint", "POST"],
    ["POST", "/openapi.json", "GET, HEAD"],
  ])("answers 405 to %s %s, and names %s", async (method, path, allow) => {
    const answer = await door.request(path, { method, ...(method === "GET" ? {} : { body: "any" }) });
    expect(answer).toEqual(aProblem(405, "method_not_allowed"));
    expect(answer.headers.get("allow")).toBe(allow);
  });

  test("describes its routes, and no more, in /openapi.json", async () => {
    const { json } = await door.request("/openapi.json");
    expect(json).toMatchObject({ openapi: "3.1.0" });
    expect(Object.keys(isRecord(json) && isRecord(json["paths"]) ? json["paths"] : {})).toEqual([
      "/v1/submissions",
      "/v1/outcomes",
      "/v1/verdicts/{id}",
      "/v1/submissions/{id}",
      "/v1/events/{event_id}/verdicts",
      "/v1/verdicts",
      "/v1/events/{event_id}",
      "/v1/stream",
      "/v1/webhooks/fingerprint",
      "/v1/webhooks/fingerprint/{tenant}",
    ]);
  });

  test("describes answers to which a later version may add", async () => {
    const { text } = await door.request("/openapi.json");
    expect(text).not.toContain('"additionalProperties":false');
  });

  test("describes how a webhook is signed", async () => {
    const { json } = await door.request("/openapi.json");
    expect(json).toMatchObject({
      paths: { "/v1/webhooks/fingerprint": { post: { parameters: [{ in: "header", name: "fpjs-event-signature" }] } } },
    });
  });

  test.each([
    ["no HTTP at all", "HELLO\r\n\r\n", "HTTP/1.1"],
    ["an unknown method", "FOO /v1/submissions HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1"],
    ["a head that is too long", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(20_000)}\r\n\r\n`, "16 KiB"],
  ])("answers 400 to %s with a problem document", async (_, sent, detail) => {
    const [head = "", body = ""] = (await say(sent)).split("\r\n\r\n");
    expect(head).toContain("HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json");
    expect(JSON.parse(body)).toMatchObject({ code: "invalid_request", detail: expect.stringContaining(detail) });
  });

  test("gives up a request whose head or body does not arrive within 10 s", { timeout: 20_000 }, async () => {
    const head = `POST /v1/submissions HTTP/1.1\r\nHost: a\r\nAuthorization: ${SHOP_KEY.authorization}\r\n`;
    const answers = await Promise.all([
      say(head),
      say(`${head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{`),
    ]);
    for (const answer of answers) expect(answer).toContain("did not arrive whole");
  });

  test("counts requests by their pattern and status", async () => {
    await door.read("/v1/verdicts/s_unknown");
    const { text } = await door.admin("/metrics");
    expect(text).toMatch(/assay_http_requests_total\{route="\/v1\/verdicts\/:id",code="404",app="ingress"\} \d/);
    expect(text).not.toContain("s_unknown");
  });
});

describe("the admin port", () => {
  test.each(["/livez", "/readyz"])("answers 200 to %s while it serves", async (path) => {
    await expect(door.admin(path)).resolves.toMatchObject({ status: 200 });
  });

  test.each([
    "assay_submissions_total",
    "assay_accept_duration_seconds_bucket",
    "assay_http_request_duration_seconds_bucket",
    "assay_redis_memory_ratio",
    "assay_build_info",
  ])("tells %s", async (metric) => {
    await door.submit({ event_id: "1.metric" });
    const { text } = await door.admin("/metrics");
    expect(text).toMatch(new RegExp(`^${metric}\\{.*\\} \\d`, "m"));
  });
});

describe("ASSAY_SURFACE and ASSAY_OPENAPI", () => {
  test.each([
    ["api", { submissions: 401, webhooks: 404, openapi: 200 }],
    ["webhooks", { submissions: 404, webhooks: 401, openapi: 404 }],
  ])("%s serves its routes alone", async (surface, expected) => {
    const openapi = surface === "api" ? "on" : "off";
    const part = await startIngress(inject("redisUrl"), { ASSAY_SURFACE: surface, ASSAY_OPENAPI: openapi });
    const status = async (path: string, method = "POST") => (await part.request(path, { method })).status;
    expect({
      submissions: await status("/v1/submissions"),
      webhooks: await status("/v1/webhooks/fingerprint"),
      openapi: await status("/openapi.json", "GET"),
    }).toEqual(expected);
    await part.close();
  });
});

/** All that the data port answers to these bytes until it closes the connection. */
function say(bytes: string): Promise<string> {
  const socket = connect(Number(new URL(door.baseUrl).port), "127.0.0.1");
  socket.write(bytes);
  return textOf(socket);
}
