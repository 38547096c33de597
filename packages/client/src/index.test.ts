import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";

// Runs in a process of its own, which prints every module that is resolved.
function loadedBy(code: string): string {
  const hooks = `
    import { writeSync } from "node:fs";
    export async function resolve(specifier, context, next) {
      const resolved = await next(specifier, context);
      writeSync(1, resolved.url + "\\n");
      return resolved;
    }`;
  const program = `
    import { register } from "node:module";
    register("data:text/javascript,${encodeURIComponent(hooks)}");
    ${code}`;
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["--import", "tsx", "--conditions=@assay/source", "--input-type=module", "--eval", program],
    { encoding: "utf8", cwd: import.meta.dirname },
  );
  expect(stderr).not.toMatch(/Error/);
  expect(status).toBe(0);
  return stdout;
}

describe("index", () => {
  test("loads neither zod nor a library for Redis for a client over HTTP", () => {
    const loaded = loadedBy(`
      const { createAssayClient } = await import("./index.ts");
      const client = createAssayClient({ url: "http://127.0.0.1:1", key: "secret" });
      await client.decide({ event_id: "event-1" }, { timeoutMs: 20 });
      await client.close();`);
    expect(loaded).toContain("http-transport.ts");
    expect(loaded).not.toMatch(/node_modules\/(zod|ioredis|bullmq)\/|redis-transport|packages\/ledger/);
  });

  test("loads none of them, and nothing of the vendor's, for tests", () => {
    const loaded = loadedBy(`
      const { createTestClient } = await import("./testing/index.ts");
      const client = createTestClient();
      await client.decide({ event_id: "event-1" });
      await client.close();`);
    expect(loaded).toContain("test-client.ts");
    expect(loaded).not.toMatch(/node_modules\/(zod|ioredis|bullmq|@fingerprint)\/|redis-transport|packages\/ledger/);
  });

  test("loads no zod for a client straight to Redis either", () => {
    const loaded = loadedBy(`
      const { createAssayClient } = await import("./index.ts");
      const client = createAssayClient({ connection: "redis://127.0.0.1:1" });
      await client.decide({ event_id: "event-1" }, { timeoutMs: 20 });
      await client.close();`);
    expect(loaded).toMatch(/node_modules\/ioredis\//);
    expect(loaded).toMatch(/node_modules\/bullmq\//);
    expect(loaded).not.toMatch(/node_modules\/zod\//);
  });
});
