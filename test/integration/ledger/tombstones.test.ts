import {
  acceptSubmissions,
  bringEvent,
  erasedEvents,
  gravestonesOf,
  publishVerdicts,
  readStoredEvent,
  readTombstones,
  tombstoneHash,
  tracesOfEvent,
  writeTombstones,
} from "@assay/ledger";
import { describe, expect, test } from "vitest";
import { accepted, anArrival, aPublication, HOUR_MS, keeping, loaded } from "./builders.ts";
import { type Ledger, openLedger, timeOf } from "./open-ledger.ts";

const hashKey = "installation-key";
const visitor = { kind: "visitor", value: "V1" } as const;

async function eraseVisitor({ redis, keys }: Ledger): Promise<number> {
  return await writeTombstones(redis, keys, [tombstoneHash(hashKey, visitor)], { ttlMs: HOUR_MS });
}

function anEventOf(timestamp: number) {
  return { event_id: "e1", timestamp, identification: { visitor_id: "V1" } };
}

describe("tombstones", () => {
  test("hold what happened until the erasure, and not what happens after it", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const at = await eraseVisitor(ledger);
    const { erased } = await readTombstones(redis, keys, hashKey, [
      [{ ...visitor, at }],
      [{ ...visitor, at: at + 1 }],
      [{ ...visitor, value: "V2", at }],
      [{ ...visitor, kind: "user", at }],
      [],
    ]);
    expect(erased).toEqual([true, false, false, false, false]);
  });

  test("name nobody in any key, and end with their time", async () => {
    const ledger = await openLedger();
    const { redis, keys, prefix } = ledger;
    await eraseVisitor(ledger);
    const names = await redis.keys(`${prefix}:*`);
    expect(names.toSorted()).toEqual([keys.erasures(), keys.tombstone(tombstoneHash(hashKey, visitor))]);
    for (const name of names) expect(await redis.pttl(name)).toBeGreaterThan(0);
  });

  test("keep an event from being stored, and a later one of the same visitor not", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const at = await eraseVisitor(ledger);
    for (const [timestamp, isKept] of [
      [at, false],
      [at + 1, true],
    ] as const) {
      const event = anEventOf(timestamp);
      expect((await erasedEvents(redis, keys, hashKey, [event])).size).toBe(isKept ? 0 : 1);
      await bringEvent(redis, keys, "e1", JSON.stringify(event), gravestonesOf(hashKey, tracesOfEvent(event)));
      expect(await readStoredEvent(redis, keys, "e1")).toBe(isKept ? JSON.stringify(event) : undefined);
    }
  });

  test("cost one short command where nobody was ever erased", async () => {
    const { redis, keys } = await openLedger();
    expect((await erasedEvents(redis, keys, hashKey, [anEventOf(await timeOf(redis))])).size).toBe(0);
  });
});

describe("an erasure that begins after a submission was loaded", () => {
  test("refuses its verdict, and takes it once the tombstones have been read again", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const id = await accepted(ledger);
    expect(await loaded(ledger, id)).not.toHaveProperty("work.erasures");
    await eraseVisitor(ledger);
    const options = keeping(ledger);
    expect(await publishVerdicts(redis, keys, [aPublication(id)], options)).toEqual([{ status: "erasing", id }]);
    expect(await redis.exists(keys.verdict(id), keys.verdicts())).toBe(0);
    const { generation } = await readTombstones(redis, keys, hashKey, []);
    const again = aPublication(id, { erasures: generation });
    expect(await publishVerdicts(redis, keys, [again], options)).toMatchObject([{ status: "published" }]);
  });

  test("is told to whoever loads after it", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    await eraseVisitor(ledger);
    expect(await loaded(ledger, id)).toMatchObject({ work: { erasures: "1" } });
  });
});

describe("a submission that ends as erased", () => {
  test("keeps nothing in its record, and is still the same for whoever sends it again", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const arrival = anArrival({ context: { flow: "login", user_id: "anna" } });
    await acceptSubmissions(redis, keys, [arrival]);
    const erased = { kind: "sealed", erased: true } as const;
    await publishVerdicts(redis, keys, [aPublication(arrival.id, { erased })], keeping(ledger));
    const record = await redis.hgetall(keys.record(arrival.id));
    expect(record).toMatchObject({ d: "", m: JSON.stringify(erased) });
    expect(JSON.stringify(record)).not.toContain("anna");
    expect(await acceptSubmissions(redis, keys, [arrival])).toMatchObject([{ status: "decided" }]);
  });
});
