import { createLogger, createMetrics } from "@assay/host";
import { isRecord } from "@assay/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createIngressMetrics } from "./metrics.ts";
import type { App } from "./route.ts";
import { createServer } from "./server.ts";
import { createStreams } from "./streams.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

let app: App;
const metrics = createIngressMetrics(createMetrics("ingress"));
beforeAll(async () => {
  app = await createServer({
    tenants: new Map(),
    streams: createStreams({ metrics, now: Date.now, limits: {} }),
    credentials: () => ({ keys: [], webhooks: new Map() }),
    metrics,
    logger: createLogger({ name: "ingress", level: "silent" }),
    now: Date.now,
    surface: "all",
    openapi: true,
    onInHand: () => undefined,
    onTrouble: () => undefined,
    isStopping: () => false,
  });
  await app.ready();
});
afterAll(() => app.close());

describe("createServer", () => {
  test("asks for a key on every route that is described, but of webhooks", async () => {
    const answers = new Map<string, number>();
    for (const url of pathsOf(app)) {
      for (const method of METHODS) {
        const { statusCode } = await app.inject({ method: method, url });
        if (statusCode !== 405) answers.set(`${method} ${url}`, statusCode);
      }
    }
    expect(Object.fromEntries(answers)).toEqual({
      "GET /openapi.json": 200,
      "HEAD /openapi.json": 200,
      "POST /v1/submissions": 401,
      "GET /v1/submissions/:id": 401,
      "HEAD /v1/submissions/:id": 401,
      "POST /v1/outcomes": 401,
      "GET /v1/verdicts/:id": 401,
      "HEAD /v1/verdicts/:id": 401,
      "GET /v1/events/:event_id/verdicts": 401,
      "HEAD /v1/events/:event_id/verdicts": 401,
      "GET /v1/verdicts": 401,
      "HEAD /v1/verdicts": 401,
      "GET /v1/events/:event_id": 401,
      "HEAD /v1/events/:event_id": 401,
      "GET /v1/stream": 401,
      // There are no tenants here.
      "POST /v1/webhooks/fingerprint": 404,
      "POST /v1/webhooks/fingerprint/:tenant": 404,
    });
  });

  test("describes every route in /openapi.json, but itself", async () => {
    const { body } = await app.inject({ url: "/openapi.json" });
    const document: unknown = JSON.parse(body);
    const paths = isRecord(document) && isRecord(document["paths"]) ? Object.keys(document["paths"]) : [];
    const described = paths.map((path) => path.replaceAll(/\{(\w+)\}/g, ":$1"));
    expect([...described, "/openapi.json"].toSorted()).toEqual(pathsOf(app).toSorted());
  });
});

/** Every path that the server knows, as it was registered. */
function pathsOf(served: App): string[] {
  const parents: string[] = [];
  return served
    .printRoutes({ commonPrefix: false })
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [, indent = "", part = ""] = /^((?:[│ ] {3})*)[├└]── (\S+) \(/.exec(line) ?? [];
      const depth = indent.length / 4;
      parents.splice(depth, parents.length, `${parents[depth - 1] ?? ""}${part}`);
      return parents[depth] ?? "";
    });
}
