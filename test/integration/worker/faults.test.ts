import { seal } from "@assay/fingerprint";
import { acceptSubmissions } from "@assay/ledger";
import { submissionId } from "@assay/protocol";
import { afterEach, describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { anEvent } from "../../support/events.ts";
import { POISON, SLEEPING_PILL } from "../../support/poison.ts";
import type { PrivateRedis } from "../../support/private-redis.ts";
import { startRedis } from "../../support/redis-server.ts";
import { openWorkerStack, type WorkerStack } from "../../support/worker-stack.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function openStack(redis?: PrivateRedis): Promise<WorkerStack> {
  const stack = await openWorkerStack(redis === undefined ? {} : { redisUrl: redis.url });
  stops.push(() => stack.stop());
  return stack;
}

async function ownRedis(): Promise<PrivateRedis> {
  const redis = await startRedis();
  stops.push(() => redis.stop());
  return redis;
}

/** Something that opens once. */
function aLatch(): { readonly opened: Promise<void>; open(): void } {
  let resolveOpened = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    resolveOpened = resolve;
  });
  return { opened, open: () => resolveOpened() };
}

/** Hands in this many ordinary sealed events; returns their ids. */
async function submitMany(stack: WorkerStack, count: number): Promise<string[]> {
  const sealed = seal(anEvent(), stack.sealedKey);
  return await Promise.all(Array.from({ length: count }, () => stack.submitSealed(sealed)));
}

/** Waits until all are decided, and says that each was decided once and none was left undecided. */
async function expectEachDecidedOnce(stack: WorkerStack, ids: readonly string[], timeoutMs = 90_000): Promise<void> {
  await eventually(async () => (await stack.published()).length >= ids.length, { timeoutMs });
  const verdicts = await stack.published();
  expect(verdicts.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  expect(verdicts.filter(({ undecided }) => undecided !== undefined)).toEqual([]);
}

describe("nothing accepted is lost", () => {
  test("when its door crashed between accept and add", async () => {
    const stack = await openStack();
    const id = submissionId("0", "default", "crashed");
    await acceptSubmissions(stack.redis, stack.keys, [
      { id, submission: { kind: "sealed", payload: seal(anEvent(), stack.sealedKey) } },
    ]);
    await stack.redis.zadd(stack.keys.pending("results"), Date.now() - 61_000, id);
    await stack.runWorker();
    expect(await stack.verdict(id)).toMatchObject({ action: "allow" });
  });

  test("when its queue is flushed", async () => {
    const stack = await openStack();
    const ids = await submitMany(stack, 20);
    const jobs = await stack.redis.keys(`${stack.prefix}:{fs1o1}:q:*`);
    await stack.redis.del(jobs);
    for (const id of ids) await stack.redis.zadd(stack.keys.pending("results"), Date.now() - 61_000, id);
    await stack.runWorker();
    await expectEachDecidedOnce(stack, ids);
  });

  test("when a worker is killed in mid-batch", { timeout: 120_000 }, async () => {
    const stack = await openStack();
    const ids = await submitMany(stack, 20);
    const held = await stack.submitSealed(anEvent({ linked_id: SLEEPING_PILL }));
    ids.push(held, ...(await submitMany(stack, 200)));
    const worker = await stack.startWorker({ file: "test/support/poison-worker.ts" });
    await eventually(async () => (await stack.redis.hget(stack.keys.record(held), "t")) === "1");
    await worker.kill("SIGKILL");
    expect((await stack.published()).length).toBeLessThan(ids.length);
    await stack.startWorker();
    await expectEachDecidedOnce(stack, ids);
  });

  test("when a worker is asked to stop under load", { timeout: 120_000 }, async () => {
    const stack = await openStack();
    const ids = await submitMany(stack, 1900);
    const worker = await stack.startWorker({ env: { ASSAY_CONCURRENCY: "1" } });
    await eventually(async () => (await stack.published()).length > 0);
    await worker.stop();
    expect((await stack.published()).length).toBeLessThan(ids.length);
    await stack.startWorker();
    await expectEachDecidedOnce(stack, ids);
  });

  test("when Redis is killed and comes back", { timeout: 120_000 }, async () => {
    const redis = await ownRedis();
    const stack = await openStack(redis);
    const ids = await submitMany(stack, 400);
    const restarted = aLatch();
    const begun = aLatch();
    await stack.runWorker({
      aroundSource: (source) => async (work, signal, options) => {
        begun.open();
        await restarted.opened;
        return await source(work, signal, options);
      },
    });
    await begun.opened;
    await redis.kill("SIGKILL");
    await redis.restart();
    restarted.open();
    await expectEachDecidedOnce(stack, ids);
  });

  test.each([
    {
      trouble: "is full",
      hurt: (stack: WorkerStack) => stack.redis.config("SET", "maxmemory", "1mb"),
      heal: (stack: WorkerStack) => stack.redis.config("SET", "maxmemory", "512mb"),
    },
    {
      trouble: "is read-only",
      hurt: (stack: WorkerStack) => stack.redis.replicaof("127.0.0.1", 1),
      heal: (stack: WorkerStack) => stack.redis.replicaof("NO", "ONE"),
    },
  ])("when Redis $trouble for four seconds", { timeout: 120_000 }, async ({ hurt, heal }) => {
    const stack = await openStack(await ownRedis());
    const ids = await submitMany(stack, 600);
    await stack.runWorker({ env: { ASSAY_CONCURRENCY: "1" } });
    await eventually(async () => (await stack.published()).length > 0);
    await hurt(stack);
    const hurtAt = performance.now();
    await eventually(() => performance.now() - hurtAt > 4000);
    expect((await stack.published()).length).toBeLessThan(ids.length);
    await heal(stack);
    await expectEachDecidedOnce(stack, ids);
  });
});

describe("one poison submission", () => {
  test("harms none of its forty neighbours", { timeout: 180_000 }, async () => {
    const stack = await openStack();
    const file = "test/support/poison-worker.ts";
    const innocents = await submitMany(stack, 20);
    const poison = await stack.submitSealed(anEvent({ linked_id: POISON }));
    innocents.push(...(await submitMany(stack, 20)));
    const first = await stack.startWorker({ file });
    await first.line(() => false).catch(() => undefined);
    await stack.startWorker({ file });
    expect(await stack.verdict(poison, { timeoutMs: 120_000 })).toMatchObject({
      undecided: { code: "worker_crashed" },
    });
    const verdicts = await Promise.all(innocents.map((id) => stack.verdict(id, { timeoutMs: 60_000 })));
    expect(verdicts.filter(({ undecided }) => undecided !== undefined)).toEqual([]);
    expect(await stack.published()).toHaveLength(41);
  });
});

describe("lanes", () => {
  test("a client's submission is decided while the background is still full", { timeout: 120_000 }, async () => {
    const stack = await openStack();
    await Promise.all(Array.from({ length: 1500 }, () => stack.submitWebhook(anEvent())));
    await stack.runWorker();
    await stack.verdict(await stack.submitSealed(anEvent()));
    expect(await stack.redis.zcard(stack.keys.pending("background"))).toBeGreaterThan(0);
  });

  test("ten minutes of backlog make nobody stale", async () => {
    const stack = await openStack();
    const receivedAt = Date.now() - 600_000;
    const id = await stack.submitSealed(anEvent({ timestamp: receivedAt - 1000 }));
    await stack.redis.hset(stack.keys.record(id), "r", receivedAt);
    await stack.runWorker();
    const verdict = await stack.verdict(id);
    expect(verdict.checks).toMatchObject({ stale: false, event_age_seconds: 1 });
    expect(verdict.action).toBe("allow");
  });
});
