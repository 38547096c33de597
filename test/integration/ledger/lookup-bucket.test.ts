import { randomUUID } from "node:crypto";
import { takeLookup } from "@assay/ledger";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { HOUR_MS } from "./builders.ts";
import { openConnection, openLedger, timeOf } from "./open-ledger.ts";

describe("takeLookup", () => {
  test("lets a burst pass, then says how long to wait", async () => {
    const { redis, keys } = await openLedger();
    const rate = { rps: 1, burst: 3 };
    const waits: number[] = [];
    for (let n = 0; n < 5; n++) waits.push(await takeLookup(redis, keys, "key1", rate));
    expect(waits.slice(0, 3)).toEqual([0, 0, 0]);
    for (const waitMs of waits.slice(3)) {
      expect(waitMs).toBeGreaterThan(0);
      expect(waitMs).toBeLessThanOrEqual(1000);
    }
  });

  test("lets the next one pass after the wait, by Redis's clock", async () => {
    const { redis, keys } = await openLedger();
    const rate = { rps: 20, burst: 1 };
    await takeLookup(redis, keys, "key1", rate);
    const waitMs = await takeLookup(redis, keys, "key1", rate);
    const start = await timeOf(redis);
    await eventually(async () => (await takeLookup(redis, keys, "key1", rate)) === 0);
    expect((await timeOf(redis)) - start).toBeGreaterThanOrEqual(waitMs - 10);
  });

  test("brings as many as its rate says", async () => {
    const { redis, keys } = await openLedger();
    const rate = { rps: 0.5, burst: 5 };
    for (let n = 0; n < 5; n++) await takeLookup(redis, keys, "key1", rate);
    const before = Math.floor(await timeOf(redis)) - 7_500;
    await redis.hset(keys.lookupBucket("key1"), "at", before);
    const waits: number[] = [];
    for (let n = 0; n < 4; n++) waits.push(await takeLookup(redis, keys, "key1", rate));
    expect(waits.map((waitMs) => waitMs === 0)).toEqual([true, true, true, false]);
  });

  test("never lets more pass than its burst and what time has brought, whoever asks", async () => {
    const { redis, keys } = await openLedger();
    const connections = await Promise.all([1, 2, 3].map(() => openConnection()));
    const rates = fc.record({ rps: fc.integer({ min: 1, max: 500 }), burst: fc.integer({ min: 1, max: 20 }) });
    const takes = fc.integer({ min: 1, max: 100 });
    await fc.assert(
      fc.asyncProperty(rates, takes, async (rate, count) => {
        const key = randomUUID();
        const before = await timeOf(redis);
        const waits = await Promise.all(
          Array.from({ length: count }, (_, n) => takeLookup(connections[n % 3] ?? redis, keys, key, rate)),
        );
        const elapsedMs = (await timeOf(redis)) - before;
        const passed = waits.filter((waitMs) => waitMs === 0).length;
        expect(passed).toBeLessThanOrEqual(rate.burst + (rate.rps * (elapsedMs + 1)) / 1000);
        expect(passed).toBeGreaterThanOrEqual(Math.min(count, rate.burst));
      }),
      { numRuns: 30 },
    );
  });

  test("keeps the buckets of two keys apart", async () => {
    const { redis, keys } = await openLedger();
    const rate = { rps: 1, burst: 1 };
    await takeLookup(redis, keys, "key1", rate);
    expect(await takeLookup(redis, keys, "key2", rate)).toBe(0);
  });

  test("does not make anybody wait for a clock that was set back", async () => {
    const { redis, keys } = await openLedger();
    const rate = { rps: 10, burst: 2 };
    await takeLookup(redis, keys, "key1", rate);
    const future = Math.floor(await timeOf(redis)) + HOUR_MS;
    await redis.hset(keys.lookupBucket("key1"), "at", future);
    expect(await takeLookup(redis, keys, "key1", rate)).toBe(0);
    expect(await takeLookup(redis, keys, "key1", rate)).toBeLessThanOrEqual(100);
  });

  test("obeys a burst that was made smaller at once", async () => {
    const { redis, keys } = await openLedger();
    await takeLookup(redis, keys, "key1", { rps: 1, burst: 100 });
    expect(await takeLookup(redis, keys, "key1", { rps: 1, burst: 1 })).toBe(0);
    expect(await takeLookup(redis, keys, "key1", { rps: 1, burst: 1 })).toBeGreaterThan(0);
  });

  test("forgets a bucket that nobody uses, once it is full again", async () => {
    const { redis, keys } = await openLedger();
    await takeLookup(redis, keys, "key1", { rps: 5, burst: 15 });
    const ttlMs = await redis.pttl(keys.lookupBucket("key1"));
    expect(ttlMs).toBeGreaterThan(3_000);
    expect(ttlMs).toBeLessThanOrEqual(63_000);
  });
});
