import { once } from "node:events";
import { queuePrefix } from "@assay/protocol";
import type { Sourced } from "@assay/worker";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { anEvent } from "../../support/events.ts";
import { openWorkerStack, type WorkerStack } from "../../support/worker-stack.ts";

let stack: WorkerStack;
beforeEach(async () => {
  stack = await openWorkerStack();
});
afterEach(() => stack.stop());

/** Runs a worker that loses the lock of its first job while the source is at work, and ends that source by `end`. */
async function runAndLoseTheLock(end: (signal: AbortSignal) => Sourced): Promise<void> {
  let isFirst = true;
  await stack.runWorker({
    aroundSource: (source) => async (work, signal) => {
      if (!isFirst) return await source(work, signal);
      isFirst = false;
      const aborted = once(signal, "abort");
      const [lock] = await stack.redis.keys(`${queuePrefix(stack.prefix)}:results:*:lock`);
      if (lock === undefined) throw new Error("The job has no lock.");
      await stack.redis.del(lock);
      await aborted;
      return end(signal);
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
      holdLane: false,
    }));
    const id = await stack.submitSealed(anEvent());
    await stack.verdict(id, { timeoutMs: 40_000 });
    expect(await stack.redis.hget(stack.keys.record(id), "t")).toBe("1");
  });
});
