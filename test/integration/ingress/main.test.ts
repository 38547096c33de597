import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, inject, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { startRedis } from "../../support/redis-server.ts";

const MAIN = fileURLToPath(new URL("../../../apps/ingress/src/main.ts", import.meta.url));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

describe("main", () => {
  test("exits 1 with every fault of its environment, and no secret", async () => {
    const child = run({ ASSAY_INGRESS_KEYS: "Not A Name:hunter2", PORT: "many" });
    expect(await ended(child)).toBe(1);
    for (const name of ["REDIS_URL", "ASSAY_INGRESS_KEYS", "PORT"]) expect(child.output()).toContain(`${name}:`);
    expect(child.output()).not.toContain("hunter2");
  });

  test("serves with nothing but its environment, and exits 0 on SIGTERM", async () => {
    const child = run({ REDIS_URL: inject("redisUrl"), ASSAY_INGRESS_KEYS: "shop-secret" });
    await eventually(() => child.output().includes('"msg":"serving"'), { timeoutMs: 30_000 });
    const port = /"port":(\d+)/.exec(child.output())?.[1];
    const answer = await fetch(`http://127.0.0.1:${port}/v1/submissions`, {
      method: "POST",
      headers: { authorization: "Bearer shop-secret", "content-type": "application/json", "idempotency-key": "main" },
      body: '{"event_id":"1.main"}',
    });
    expect(answer.status).toBe(202);
    child.process.kill("SIGTERM");
    expect(await ended(child)).toBe(0);
  });

  test("exits 1 where Redis cannot keep what it promises, and says what to change", async () => {
    const redis = await startRedis({ config: { appendonly: "no" } });
    const child = run({ REDIS_URL: redis.url, ASSAY_INGRESS_KEYS: "shop-secret" });
    expect(await ended(child)).toBe(1);
    expect(child.output()).toContain("CONFIG SET appendonly yes");
    await redis.stop();
  });

  test("exits 0 on SIGTERM while it waits for Redis", async () => {
    const redis = await startRedis();
    await redis.kill("SIGKILL");
    const child = run({ REDIS_URL: redis.url, ASSAY_INGRESS_KEYS: "shop-secret" });
    await eventually(() => child.output().includes("Redis is away"), { timeoutMs: 30_000 });
    child.process.kill("SIGTERM");
    expect(await ended(child)).toBe(0);
    await redis.stop();
  });
});

interface Child {
  readonly process: ChildProcess;
  /** All that it wrote. */
  output(): string;
}

function run(env: Readonly<Record<string, string>>): Child {
  const child = spawn(process.execPath, ["--import", "tsx", "--conditions=@assay/source", MAIN], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"],
      ASSAY_PREFIX: `t${randomBytes(6).toString("hex")}`,
      PORT: "0",
      ASSAY_ADMIN_PORT: "0",
      ...env,
    },
  });
  children.push(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  return { process: child, output: () => output };
}

async function ended({ process: child }: Child): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "close");
  return child.exitCode;
}
