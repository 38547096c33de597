import { queuePrefix } from "@assay/protocol";
import { afterEach, beforeEach, expect, describe, onTestFinished, test } from "vitest";
import { anEvent } from "../../support/events.ts";
import { eventually } from "../../support/eventually.ts";
import { startRedis } from "../../support/redis-server.ts";
import { openWorkerStack, type WorkerStack } from "../../support/worker-stack.ts";

let stack: WorkerStack;
beforeEach(async () => {
  stack = await openWorkerStack();
});
afterEach(() => stack.stop());

const OVERDUE_MS = 61_000;

describe("the reconciler", () => {
  test("does not ring again for a job that was let go and comes back later", async () => {
    const queue = `${queuePrefix(stack.prefix)}:results`;
    const delayed = await stack.submitSealed(anEvent());
    const job = await stack.redis.rpop(`${queue}:wait`);
    if (job === null) throw new Error("There is no job.");
    await stack.redis.zadd(`${queue}:delayed`, (Date.now() + 60_000) * 4096, job);
    await stack.redis.hset(`${queue}:${job}`, "timestamp", Date.now() - OVERDUE_MS);
    await stack.redis.zadd(stack.keys.pending("results"), Date.now() - OVERDUE_MS, delayed);

    const lost = await stack.submitWebhook(anEvent());
    await stack.redis.del(`${queuePrefix(stack.prefix)}:background:wait`);
    await stack.redis.zadd(stack.keys.pending("background"), Date.now() - OVERDUE_MS, lost);

    await stack.runWorker();
    // It is rung for after the lane of results was looked through.
    await stack.verdict(lost);
    expect((await stack.published()).map(({ id }) => id)).toEqual([lost]);
  });

  test("shows nothing of the installation while Redis is away, as the alert on it asks", async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const fragile = await openWorkerStack({ redisUrl: redis.url });
    onTestFinished(() => fragile.stop());
    const { adminPort } = await fragile.runWorker();
    const shows = async () => {
      const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
      return /^assay_pending\{/m.test(text);
    };
    await eventually(shows);
    await redis.kill("SIGKILL");
    await eventually(async () => !(await shows()), { timeoutMs: 30_000 });
    await redis.restart();
    expect(await eventually(shows, { timeoutMs: 30_000 })).toBe(true);
  });
});
