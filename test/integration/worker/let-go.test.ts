import { once } from "node:events";
import { queuePrefix } from "@assay/protocol";
import type { Sourced } from "@assay/worker";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { anEvent } from "../../support/events.ts";
import { startRedis } from "../../support/redis-server.ts";
import { openWorkerStack, type WorkerStack } from "../../support/worker-stack.ts";

let stack: WorkerStack;
beforeEach(async () => {
  stack = await openWorkerStack();
});
afterEach(() => stack.stop());

/** Runs a worker that loses the lock of its first job while the source is at work, and ends that source by `end`. */
async function runAndLoseTheLock(
  end: (signal: AbortSignal) => Sourced | Promise<Sourced>,
  from: WorkerStack = stack,
): Promise<void> {
  let isFirst = true;
  await from.runWorker({
    aroundSource: (source) => async (work, signal, options) => {
      if (!isFirst) return await source(work, signal, options);
      isFirst = false;
      const aborted = once(signal, "abort");
      const [lock] = await from.redis.keys(`${queuePrefix(from.prefix)}:results:*:lock`);
      if (lock === undefined) throw new Error("The job has no lock.");
      await from.redis.del(lock);
      await aborted;
      return await end(signal);
    },
  });
}

describe("a submission whose lock is lost", () => {
  test("does not end undecided when its lookup is broken off", async () => {
    await runAndLoseTheLock((signal) => {
      // As a lookup does.
      throw signal.reason;
    });
    const verdict = await stack.verdict(await stack.submitSealed(anEvent()), { timeoutMs: 40_000 });
    expect(verdict).not.toHaveProperty("undecided");
  });

  test("gets its try back when it must wait", async () => {
    await runAndLoseTheLock(() => ({
      status: "wait",
      why: "event_not_received",
      until: Date.now(),
      spendsRetry: false,
    }));
    const id = await stack.submitSealed(anEvent());
    await stack.verdict(id, { timeoutMs: 40_000 });
    expect(await stack.redis.hget(stack.keys.record(id), "t")).toBe("1");
  });

  test("gets its try back though Redis is full", { timeout: 90_000 }, async () => {
    const redis = await startRedis();
    const own = await openWorkerStack({ redisUrl: redis.url });
    let isFull = false;
    try {
      await runAndLoseTheLock(async (signal) => {
        await own.redis.config("SET", "maxmemory", "1mb");
        isFull = true;
        throw signal.reason;
      }, own);
      const id = await own.submitSealed(anEvent());
      await eventually(() => isFull);
      await eventually(async () => (await own.redis.hget(own.keys.record(id), "t")) === "0");
      await own.redis.config("SET", "maxmemory", "512mb");
      expect(await own.verdict(id, { timeoutMs: 40_000 })).not.toHaveProperty("undecided");
    } finally {
      await own.stop();
      await redis.stop();
    }
  });
});
