import { queuePrefix } from "@assay/protocol";
import { createSuspectProcess } from "@assay/worker";
import { afterEach, describe, expect, test, vi } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { anEvent } from "../../support/events.ts";
import { HANGING_POISON } from "../../support/poison.ts";
import { startRedis } from "../../support/redis-server.ts";
import { openWorkerStack, type WorkerStack } from "../../support/worker-stack.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
  vi.unstubAllEnvs();
});

async function open(redisUrl?: string): Promise<WorkerStack> {
  const stack = await openWorkerStack(redisUrl === undefined ? {} : { redisUrl });
  stops.push(() => stack.stop());
  return stack;
}

/** Hands in a submission that was tried already, by a worker that died. */
async function submitSuspect(stack: WorkerStack, event = anEvent()): Promise<string> {
  const id = await stack.submitSealed(event);
  await stack.redis.hset(stack.keys.record(id), "t", 1);
  return id;
}

describe("a suspect", () => {
  test("is rung for once, however often its own doorbell rings", async () => {
    const stack = await open();
    const suspects = `${queuePrefix(stack.prefix)}:suspects`;
    // Nobody fetches suspects meanwhile.
    await stack.redis.hset(`${suspects}:meta`, "paused", 1);
    const id = await submitSuspect(stack);
    await stack.runWorker();
    for (let rung = 0; rung < 3; rung++) {
      await stack.producer.ring("results", [id]);
      await eventually(async () => (await stack.redis.llen(`${queuePrefix(stack.prefix)}:results:wait`)) === 0);
      await eventually(async () => (await stack.redis.llen(`${queuePrefix(stack.prefix)}:results:active`)) === 0);
    }
    expect(await stack.redis.llen(`${suspects}:wait`)).toBe(1);
  });

  test("that hangs its process is given up, and holds up no other", { timeout: 120_000 }, async () => {
    const stack = await open();
    const hanging = await submitSuspect(stack, anEvent({ linked_id: HANGING_POISON }));
    await stack.startWorker({ file: "test/support/poison-worker.ts" });
    await eventually(async () => (await stack.redis.hget(stack.keys.record(hanging), "x")) === "1");
    const other = await submitSuspect(stack);
    const within = { timeoutMs: 60_000 };
    expect(await stack.verdict(hanging, within)).toMatchObject({ undecided: { code: "worker_crashed" } });
    expect(await stack.verdict(other, within)).not.toHaveProperty("undecided");
  });

  test("leaves no process behind when the worker is killed", async () => {
    const redis = await startRedis();
    stops.push(() => redis.stop());
    const stack = await open(redis.url);
    const id = await submitSuspect(stack);
    const worker = await stack.startWorker();
    await stack.verdict(id);
    await worker.kill("SIGKILL");
    const connections = async () => String(await stack.redis.client("LIST"));
    await eventually(async () => !(await connections()).includes("name=assay-suspect"));
    expect(await connections()).not.toContain("name=assay-suspect");
  });
});

describe("createSuspectProcess", () => {
  test("decides once Redis serves again, when it did not at the first suspect", async () => {
    const redis = await startRedis();
    stops.push(() => redis.stop());
    const stack = await open(redis.url);
    for (const [name, value] of Object.entries(stack.env)) vi.stubEnv(name, value);
    const id = await submitSuspect(stack);
    const decide = createSuspectProcess();
    await stack.redis.config("SET", "maxmemory", "1mb");
    await expect(decide({ tenant: "0", ids: [id] })).rejects.toThrow("OOM");
    await stack.redis.config("SET", "maxmemory", "512mb");
    await decide({ tenant: "0", ids: [id] });
    expect(await stack.verdict(id)).not.toHaveProperty("undecided");
  });
});
