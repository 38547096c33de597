import { createServer } from "node:http";
import { EventEmitter, once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { type AdminServer, AdminServerError, type AdminServerOptions, createAdminServer } from "./admin-server.ts";
import { createLogger } from "./logger.ts";
import { createMetrics } from "./metrics.ts";

const running: AdminServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

async function start(options: Partial<AdminServerOptions> = {}): Promise<string> {
  const server = build(options);
  const { port } = await server.start();
  return `http://127.0.0.1:${port}`;
}

function build(options: Partial<AdminServerOptions>): AdminServer {
  const server = createAdminServer({
    port: 0,
    host: "127.0.0.1",
    registry: createMetrics("test").registry,
    ready: () => ({ ready: true, checks: { redis: "ok" } }),
    live: () => true,
    logger: createLogger({ name: "test", level: "silent" }),
    ...options,
  });
  running.push(server);
  return server;
}

describe("createAdminServer", () => {
  test("serves the registry in Prometheus' format", async () => {
    const response = await fetch(`${await start()}/metrics`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await response.text()).toContain("assay_build_info");
  });

  test("answers /readyz with 200 and the checks when ready", async () => {
    const response = await fetch(`${await start()}/readyz?verbose`);
    expect([response.status, await response.json()]).toEqual([200, { ready: true, checks: { redis: "ok" } }]);
  });

  test("answers /readyz with 503 and what is wrong when not ready", async () => {
    const url = await start({ ready: async () => ({ ready: false, checks: { redis: "does not answer" } }) });
    const response = await fetch(`${url}/readyz`);
    expect([response.status, await response.json()]).toEqual([
      503,
      { ready: false, checks: { redis: "does not answer" } },
    ]);
  });

  test.each([
    [true, 200],
    [false, 503],
  ])("answers /livez of live %s with %i", async (live, status) => {
    const response = await fetch(`${await start({ live: () => live })}/livez`);
    expect([response.status, await response.json()]).toEqual([status, { live }]);
  });

  test.each(["/livez", "/readyz"])("answers %s with 503 when its question fails", async (path) => {
    const fail = () => Promise.reject(new Error("no"));
    const response = await fetch(`${await start({ live: fail, ready: fail })}${path}`);
    expect(response.status).toBe(503);
  });

  test("names the paths it knows to who asks for another", async () => {
    const response = await fetch(`${await start()}/healthz`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ known: ["/metrics", "/livez", "/readyz"] });
  });

  test("refuses other methods", async () => {
    const response = await fetch(`${await start()}/livez`, { method: "POST" });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  test("says which variable to set when its port is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const error: unknown = await build({ port })
      .start()
      .catch((reason: unknown) => reason);
    other.close();
    expect(error).toBeInstanceOf(AdminServerError);
    expect(String(error)).toContain("ASSAY_ADMIN_PORT");
  });

  test("closes its port before stop resolves, also while a question has no answer yet", async () => {
    const questions = new EventEmitter();
    const asked = once(questions, "asked");
    const server = build({
      ready: () => {
        questions.emit("asked");
        return new Promise(() => {});
      },
    });
    const { port } = await server.start();
    const request = fetch(`http://127.0.0.1:${port}/readyz`).catch(() => "cut off");
    await asked;
    await server.stop();
    expect(await request).toBe("cut off");
    await expect(fetch(`http://127.0.0.1:${port}/livez`)).rejects.toThrow("fetch failed");
  });

  test("may be stopped twice, at once, and before it was started", async () => {
    const server = build({});
    await server.stop();
    await server.start();
    await expect(Promise.all([server.stop(), server.stop()])).resolves.toBeDefined();
  });
});
