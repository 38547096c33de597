import {
  acceptSubmissions,
  bringEvent,
  eraseFindings,
  erasedEvents,
  findSubject,
  gravestonesOf,
  heldOf,
  layAsideVerdict,
  networkHash,
  pinInputs,
  planDeliveries,
  publishVerdicts,
  readStoredEvent,
  readTombstones,
  takeTurn,
  tombstoneHash,
  tracesOfEvent,
  writeTombstones,
} from "@assay/ledger";
import { envelopeOf, type Verdict } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import {
  accepted,
  aCounterRequest,
  anArrival,
  aPublication,
  aUse,
  aVerdict,
  HOUR_MS,
  keeping,
  loaded,
} from "./builders.ts";
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

  test("stand for the longest time that was said", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    await eraseVisitor(ledger);
    const hashes = [tombstoneHash(hashKey, visitor), tombstoneHash(hashKey, { ...visitor, value: "V2" })];
    await writeTombstones(redis, keys, hashes, { ttlMs: 1000 });
    const left = await Promise.all(
      [keys.erasures(), ...hashes.map((hash) => keys.tombstone(hash))].map((key) => redis.pttl(key)),
    );
    expect(left.map((ms) => ms > 1000)).toEqual([true, true, false]);
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

  test("lets nothing be claimed or counted of a submission that it has emptied", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const arrival = anArrival({ context: { user_id: "anna" } });
    await acceptSubmissions(redis, keys, [arrival]);
    const subject = { kind: "user", value: "anna" } as const;
    const ids = { submissions: new Set<string>(), events: new Set<string>() };
    await eraseFindings(redis, keys, await findSubject(redis, keys, { subject, hashKey, ids }), ids);
    const plan = { key: "k", definition: "0".repeat(16), windowMs: HOUR_MS, member: "m", names: [], pairs: [] };
    const use = aUse({ id: arrival.id, eventId: "e1" });
    await pinInputs(redis, keys, [{ ...use, counters: [aCounterRequest({ plan })] }]);
    expect(await redis.exists(keys.claim("e1", "login"), keys.counter("visitor1"))).toBe(0);
    expect(await redis.hmget(keys.record(arrival.id), "i", "ic", "oc")).toEqual([null, null, null]);
  });

  test.each([3, 300])("takes its events out of counters that counted %i others, too", async (others) => {
    const { redis, keys } = await openLedger();
    const anna = { kind: "webhook", event_id: "e1", context: { user_id: "anna" } };
    await redis.hset(keys.record("s_1"), "m", JSON.stringify(anna), "s", "1-1");
    const counted = Array.from({ length: others }, (_, n) => [n, `other${n}`]).flat();
    await redis.zadd(keys.counter("shared"), ...counted, 1, "e1");
    await redis.zadd(keys.counter("another"), ...counted);
    const ids = { submissions: new Set<string>(), events: new Set<string>() };
    const subject = { kind: "user", value: "anna" } as const;
    const erased = await eraseFindings(redis, keys, await findSubject(redis, keys, { subject, hashKey, ids }), ids);
    expect(erased).toEqual({ submissions: 1, counters: 1 });
    expect(await redis.zscore(keys.counter("shared"), "e1")).toBe(null);
    expect([await redis.zcard(keys.counter("shared")), await redis.zcard(keys.counter("another"))]).toEqual([
      others,
      others,
    ]);
  });

  test("takes what is known of the subject's network in the line of lookups", async () => {
    const { redis, keys } = await openLedger();
    const ask = { isAwaited: false, withinMs: 60_000, apiKeys: [{ keyId: "k", restsForMs: 0 }] };
    for (const [id, ip] of Object.entries({ s_1: "198.51.100.7", s_2: "203.0.113.7" })) {
      await takeTurn(redis, keys, { ...ask, id, network: networkHash(hashKey, ip), rate: { rps: 0.1, burst: 0 } });
    }
    const ids = { submissions: new Set<string>(), events: new Set<string>() };
    const subject = { kind: "ip", value: "198.51.100.7" } as const;
    await eraseFindings(redis, keys, await findSubject(redis, keys, { subject, hashKey, ids }), ids);
    const networks = Object.keys(await redis.hgetall(keys.lookupTurns())).filter((name) => /^[01]:/.test(name));
    expect(networks).toEqual([`0:${networkHash(hashKey, "203.0.113.7")}`]);
  });

  test("is told to whoever loads after it", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    await eraseVisitor(ledger);
    expect(await loaded(ledger, id)).toMatchObject({ work: { erasures: "1" } });
  });
});

describe("a verdict that somebody has in hand while it is erased", () => {
  const plan = ({ redis, keys }: Ledger, verdict: Verdict) => {
    const of = heldOf(verdict);
    const delivery = { id: `wh_${verdict.id}`, endpoint: "orders", body: JSON.stringify(verdict) };
    return planDeliveries(redis, keys, [{ ...delivery, ...(of === undefined ? {} : { of }) }]);
  };
  const layAside = ({ redis, keys }: Ledger, verdict: Verdict, envelope = JSON.stringify(envelopeOf(verdict))) =>
    layAsideVerdict(redis, keys, {
      group: "crm",
      entryId: "1-1",
      id: verdict.id,
      code: "deliveries_exhausted",
      deliveries: 10,
      at: 1,
      envelope,
    });
  const lettersOf = ({ redis, keys }: Ledger) => redis.xlen(keys.deadLetters("delivery"));
  const erased = async ({ redis, keys }: Ledger) => {
    const verdict = aVerdict("s_1");
    await writeTombstones(redis, keys, [verdict.id], { ttlMs: HOUR_MS });
    return verdict;
  };

  test("is put on its way to no endpoint", async () => {
    const ledger = await openLedger();
    const verdict = await erased(ledger);
    expect(await plan(ledger, verdict)).toBe(0);
    expect(await ledger.redis.keys(`${ledger.prefix}:*:w*`)).toEqual([]);
    expect(await plan(ledger, aVerdict("s_2"))).toBe(1);
  });

  test("becomes no dead letter of a group", async () => {
    const ledger = await openLedger();
    const verdict = await erased(ledger);
    await layAside(ledger, verdict);
    expect(await lettersOf(ledger)).toBe(0);
    await layAside(ledger, aVerdict("s_2"));
    await layAside(ledger, verdict, "no envelope");
    expect(await lettersOf(ledger)).toBe(2);
  });

  test("goes its way where it says that it was erased, or its id is somebody else's by now", async () => {
    const ledger = await openLedger();
    const verdict = await erased(ledger);
    const said = { ...verdict, undecided: { code: "event_erased" } } as const;
    const later = { ...verdict, id: "s_3", received_at: (await timeOf(ledger.redis)) + 6500 };
    await writeTombstones(ledger.redis, ledger.keys, [later.id], { ttlMs: HOUR_MS });
    for (const one of [said, later]) {
      expect(await plan(ledger, one)).toBe(1);
      await layAside(ledger, one);
    }
    expect(await lettersOf(ledger)).toBe(2);
  });
});

describe("a submission that ends as erased", () => {
  test("is not found again, but a test event that says the same of somebody is", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const undecided = { code: "event_erased" } as const;
    const tested = { event_id: "test_undecided_event_erased", test: true, context: { user_id: "anna" } } as const;
    for (const verdict of [{ undecided }, { undecided, ...tested }]) {
      const id = await accepted(ledger);
      await publishVerdicts(redis, keys, [aPublication(id, {}, verdict)], keeping(ledger));
    }
    const ids = { submissions: new Set<string>(), events: new Set<string>() };
    const subject = { kind: "user", value: "anna" } as const;
    const found = await findSubject(redis, keys, { subject, hashKey, ids });
    expect(found.list.map(({ holding }) => holding.store).toSorted()).toEqual([
      "event_lists",
      "submissions",
      "verdict_stream",
      "verdicts",
    ]);
  });

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
