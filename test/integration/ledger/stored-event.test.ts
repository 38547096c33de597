import { randomUUID } from "node:crypto";
import { bringEvent, readStoredEvent } from "@assay/ledger";
import { MAX_EVENT_BYTES } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { openLedger } from "./open-ledger.ts";

describe("bringEvent", () => {
  test("keeps an event for ten minutes, smaller than it is", async () => {
    const { redis, keys } = await openLedger();
    const eventId = randomUUID();
    const json = JSON.stringify({ event_id: eventId, city: "Zürich", bots: "x".repeat(10_000) });
    await bringEvent(redis, keys, eventId, json);
    expect(await readStoredEvent(redis, keys, eventId)).toBe(json);
    expect(await redis.strlen(keys.storedEvent(eventId))).toBeLessThan(1000);
    const ttlMs = await redis.pttl(keys.storedEvent(eventId));
    expect(ttlMs).toBeGreaterThan(590_000);
    expect(ttlMs).toBeLessThanOrEqual(600_000);
  });
});

describe("readStoredEvent", () => {
  test("is undefined for an event that nobody brought", async () => {
    const { redis, keys } = await openLedger();
    expect(await readStoredEvent(redis, keys, randomUUID())).toBeUndefined();
  });

  test("refuses to inflate far more than an event may be", async () => {
    const { redis, keys } = await openLedger();
    await bringEvent(redis, keys, "bomb", "0".repeat(3 * MAX_EVENT_BYTES));
    await expect(readStoredEvent(redis, keys, "bomb")).rejects.toThrow(RangeError);
  });
});
