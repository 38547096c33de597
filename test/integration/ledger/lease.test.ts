import { holdLease, releaseLease } from "@assay/ledger";
import { leaderKey } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { openConnection, openLedger } from "./open-ledger.ts";

const LONG_MS = 60_000;

async function aLease() {
  const { redis, prefix } = await openLedger();
  return { redis, key: leaderKey(prefix) };
}

describe("holdLease", () => {
  test("gives the lease to one of 20 at once", async () => {
    const { redis, key } = await aLease();
    const connections = await Promise.all([1, 2, 3, 4].map(() => openConnection()));
    const held = await Promise.all(
      Array.from({ length: 20 }, (_, n) => holdLease(connections[n % 4] ?? redis, key, `holder${n}`, LONG_MS)),
    );
    expect(held.filter(Boolean)).toHaveLength(1);
    expect(await redis.get(key)).toBe(`holder${held.indexOf(true)}`);
  });

  test("keeps the lease of its holder for the time it asks", async () => {
    const { redis, key } = await aLease();
    expect(await holdLease(redis, key, "holder1", LONG_MS)).toBe(true);
    expect(await holdLease(redis, key, "holder1", 3 * LONG_MS)).toBe(true);
    expect(await redis.pttl(key)).toBeGreaterThan(2 * LONG_MS);
  });

  test("does not touch the lease of another", async () => {
    const { redis, key } = await aLease();
    await holdLease(redis, key, "holder1", LONG_MS);
    expect(await holdLease(redis, key, "holder2", 10 * LONG_MS)).toBe(false);
    expect(await redis.get(key)).toBe("holder1");
    expect(await redis.pttl(key)).toBeLessThanOrEqual(LONG_MS);
  });

  test("gives a lease that ran out to whoever asks", async () => {
    const { redis, key } = await aLease();
    await holdLease(redis, key, "holder1", 30);
    await eventually(() => holdLease(redis, key, "holder2", LONG_MS));
    expect(await holdLease(redis, key, "holder1", LONG_MS)).toBe(false);
  });
});

describe("releaseLease", () => {
  test("frees the lease of its holder at once", async () => {
    const { redis, key } = await aLease();
    await holdLease(redis, key, "holder1", LONG_MS);
    await releaseLease(redis, key, "holder1");
    expect(await holdLease(redis, key, "holder2", LONG_MS)).toBe(true);
  });

  test("does not free the lease of another", async () => {
    const { redis, key } = await aLease();
    await holdLease(redis, key, "holder1", LONG_MS);
    await releaseLease(redis, key, "holder2");
    expect(await redis.get(key)).toBe("holder1");
  });
});
