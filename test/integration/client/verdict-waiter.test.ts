import { createProducer, type Producer } from "@assay/client/producer";
import { createVerdictWaiter, type VerdictWaiter } from "@assay/client/waiter";
import { decidedChannel } from "@assay/protocol";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { type Installation, openInstallation, sealedArrival } from "./installation.ts";

let installation: Installation;
let producer: Producer;
let waiter: VerdictWaiter;

beforeEach(async () => {
  installation = await openInstallation(inject("redisUrl"));
  producer = await createProducer(installation);
  waiter = createVerdictWaiter(installation);
});

afterEach(async () => {
  await waiter.stop();
  await producer.stop();
  await installation.close();
});

async function subscribers(): Promise<unknown> {
  const [, count] = await installation.redis.pubsub("NUMSUB", decidedChannel(installation.prefix));
  return count;
}

describe("createVerdictWaiter", () => {
  test("brings the verdict as soon as it is announced", async () => {
    const arrival = sealedArrival();
    const waiting = waiter.waitFor(arrival.id, { timeoutMs: 10_000 });
    await eventually(async () => (await subscribers()) === 1);
    await producer.submit(arrival);
    const started = performance.now();
    await installation.decideAll("block");
    const decided = await waiting;
    expect(performance.now() - started).toBeLessThan(500);
    expect(decided).toMatchObject({ status: "decided", json: expect.stringContaining(arrival.id) });
  });

  test("brings a verdict that was decided before at once", async () => {
    const arrival = sealedArrival();
    await producer.submit(arrival);
    await installation.decideAll();
    const startedAt = performance.now();
    expect(await waiter.waitFor(arrival.id, { timeoutMs: 10_000 })).toMatchObject({ status: "decided" });
    expect(performance.now() - startedAt).toBeLessThan(500);
  });

  test("finds a verdict whose announcement was missed", async () => {
    const deaf = createVerdictWaiter({ ...installation, prefix: "another" });
    const arrival = sealedArrival();
    await producer.submit(arrival);
    const waiting = deaf.waitFor(arrival.id, { timeoutMs: 10_000 });
    await eventually(async () => {
      const [, count] = await installation.redis.pubsub("NUMSUB", decidedChannel("another"));
      return count === 1;
    });
    await installation.decideAll();
    expect(await waiting).toMatchObject({ status: "decided" });
    await deaf.stop();
  });

  test("says so when the verdict is no longer kept", async () => {
    const arrival = sealedArrival();
    await producer.submit(arrival);
    await installation.decideAll();
    await installation.redis.del(installation.keys.verdict(arrival.id));
    expect(await waiter.waitFor(arrival.id, { timeoutMs: 10_000 })).toEqual({ status: "expired" });
  });

  test("gives up after its time", async () => {
    const started = performance.now();
    expect(await waiter.waitFor(sealedArrival().id, { timeoutMs: 100 })).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test("rejects with the reason of its signal", async () => {
    const controller = new AbortController();
    const waiting = waiter.waitFor(sealedArrival().id, { timeoutMs: 10_000, signal: controller.signal });
    controller.abort(new Error("the caller went away"));
    await expect(waiting).rejects.toThrow("the caller went away");
    const late = waiter.waitFor(sealedArrival().id, { timeoutMs: 10_000, signal: controller.signal });
    await expect(late).rejects.toThrow("the caller went away");
  });

  test("serves many waits by one subscription, and each of two on one id", async () => {
    const arrivals = [sealedArrival(), sealedArrival()];
    const waits = [...arrivals, ...arrivals].map(({ id }) => waiter.waitFor(id, { timeoutMs: 10_000 }));
    await eventually(async () => (await subscribers()) === 1);
    await Promise.all(arrivals.map((arrival) => producer.submit(arrival)));
    await installation.decideAll();
    expect((await Promise.all(waits)).map((decided) => decided?.status)).toEqual(Array(4).fill("decided"));
    expect(await subscribers()).toBe(1);
  });

  test("ends its waits and its subscription when it is stopped", async () => {
    const waiting = waiter.waitFor(sealedArrival().id, { timeoutMs: 60_000 });
    await eventually(async () => (await subscribers()) === 1);
    await waiter.stop();
    await waiter.stop();
    expect(await waiting).toBeUndefined();
    expect(await waiter.waitFor(sealedArrival().id, { timeoutMs: 60_000 })).toBeUndefined();
    await eventually(async () => (await subscribers()) === 0);
  });
});
