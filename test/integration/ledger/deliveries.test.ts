import { randomUUID } from "node:crypto";
import {
  keepDeliveries,
  planDeliveries,
  replayDeliveries,
  resumeEndpoint,
  settleDelivery,
  type Settlement,
  takeDeliveries,
  type TakeRequest,
} from "@assay/ledger";
import { describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { type Ledger, openConnection, openLedger, timeOf } from "./open-ledger.ts";

const ENDPOINT = "orders";
const HOUR_MS = 3_600_000;
const FAILED: Settlement = { outcome: "failed", retryInMs: HOUR_MS, restMs: 0 };

async function planned({ redis, keys }: Ledger, count = 1, endpoint = ENDPOINT): Promise<string[]> {
  const deliveries = Array.from({ length: count }, () => ({ id: `wh_${randomUUID()}`, endpoint, body: `{"n":1}` }));
  await planDeliveries(redis, keys, deliveries);
  return deliveries.map(({ id }) => id);
}

const take = ({ redis, keys }: Ledger, over: Partial<TakeRequest> = {}) =>
  takeDeliveries(redis, keys, {
    endpoint: ENDPOINT,
    count: 10,
    maxInFlight: 4,
    leaseMs: 60_000,
    resumedAt: 0,
    ...over,
  });

async function takeOne(ledger: Ledger, over: Partial<TakeRequest> = {}) {
  const [delivery] = (await take(ledger, { count: 1, ...over })).deliveries;
  if (delivery === undefined) throw new Error("Nothing is due.");
  return delivery;
}

const settle = (
  { redis, keys }: Ledger,
  lease: { id: string; leaseUntil: number },
  settlement: Settlement,
  pauseAfterMs = HOUR_MS,
) => settleDelivery(redis, keys, ENDPOINT, lease, settlement, pauseAfterMs);

/** Lets the time come at which a delivery is tried again. */
const letDue = ({ redis, keys }: Ledger, id: string) => redis.zadd(keys.deliveriesDue(ENDPOINT), "XX", 1, id);

const letters = ({ redis, keys }: Ledger) => redis.xrange(keys.deadLetters("delivery"), "-", "+");

describe("planDeliveries", () => {
  test("plans a delivery once: a second plan leaves body and tries as they are", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const [id = ""] = await planned(ledger);
    await settle(ledger, await takeOne(ledger), FAILED);
    expect(await planDeliveries(redis, keys, [{ id, endpoint: ENDPOINT, body: "other" }])).toBe(0);
    await letDue(ledger, id);
    expect(await takeOne(ledger)).toMatchObject({ id, body: `{"n":1}`, failures: 1 });
  });

  test("keeps nothing for ever, whatever becomes of the endpoint", async () => {
    const ledger = await openLedger();
    await planned(ledger);
    await takeOne(ledger);
    await planned(ledger);
    const all = await ledger.redis.keys(`${ledger.prefix}:*`);
    const ttls = await Promise.all(all.map((key) => ledger.redis.pttl(key)));
    expect(all.length).toBeGreaterThan(3);
    expect(ttls.filter((ttl) => ttl < 0)).toEqual([]);
  });
});

describe("takeDeliveries", () => {
  test("gives no more than four at once, to however many ask together", async () => {
    const ledger = await openLedger();
    await planned(ledger, 20);
    const connections = await Promise.all([1, 2, 3, 4].map(() => openConnection()));
    const taken = await Promise.all(connections.map((redis) => take({ ...ledger, redis }, { count: 3 })));
    const ids = taken.flatMap(({ deliveries }) => deliveries.map(({ id }) => id));
    expect(new Set(ids).size).toBe(4);
    expect(ids).toHaveLength(4);
  });

  test("gives another its place when one has landed", async () => {
    const ledger = await openLedger();
    await planned(ledger, 6);
    const { deliveries } = await take(ledger);
    for (const delivery of deliveries.slice(0, 2)) await settle(ledger, delivery, { outcome: "delivered" });
    expect((await take(ledger)).deliveries).toHaveLength(2);
  });

  test("gives what a dead process held to another, once its lease has ended", async () => {
    const ledger = await openLedger();
    const [id] = await planned(ledger);
    await takeOne(ledger, { leaseMs: 30 });
    expect(await eventually(() => takeOne(ledger))).toMatchObject({ id, failures: 0 });
  });

  test("leaves the deliveries of other endpoints alone", async () => {
    const ledger = await openLedger();
    await planned(ledger, 1, "desk");
    expect((await take(ledger)).deliveries).toEqual([]);
  });

  test("tells how many wait and how old the oldest is", async () => {
    const ledger = await openLedger();
    const [id = ""] = await planned(ledger, 3);
    await ledger.redis.zadd(ledger.keys.undelivered(ENDPOINT), Math.floor(await timeOf(ledger.redis)) - HOUR_MS, id);
    const { standing } = await take(ledger, { count: 0 });
    expect(standing).toMatchObject({ paused: undefined, undelivered: 3, expired: 0 });
    expect(standing.oldestAgeMs).toBeGreaterThanOrEqual(HOUR_MS);
    expect(standing.oldestAgeMs).toBeLessThan(HOUR_MS + 60_000);
  });

  test("gives up what was held for a week, and tells", async () => {
    const ledger = await openLedger();
    const [id = "", kept] = await planned(ledger, 2);
    await ledger.redis.zadd(ledger.keys.undelivered(ENDPOINT), (await timeOf(ledger.redis)) - 8 * 24 * HOUR_MS, id);
    const { standing, deliveries } = await take(ledger);
    expect(standing.expired).toBe(1);
    expect(deliveries.map((one) => one.id)).toEqual([kept]);
  });
});

describe("settleDelivery", () => {
  test("forgets what was delivered", async () => {
    const ledger = await openLedger();
    const [id = ""] = await planned(ledger);
    expect(await settle(ledger, await takeOne(ledger), { outcome: "delivered" })).toBe("settled");
    expect((await take(ledger)).standing.undelivered).toBe(0);
    expect(await ledger.redis.exists(ledger.keys.delivery(id))).toBe(0);
  });

  test("tries again not before its time, and counts the failure", async () => {
    const ledger = await openLedger();
    const [id = ""] = await planned(ledger);
    await settle(ledger, await takeOne(ledger), FAILED);
    expect((await take(ledger)).deliveries).toEqual([]);
    await letDue(ledger, id);
    expect((await takeOne(ledger)).failures).toBe(1);
  });

  test("puts back what was not tried, and counts nothing", async () => {
    const ledger = await openLedger();
    await planned(ledger);
    await settle(ledger, await takeOne(ledger), { outcome: "put_back", retryInMs: 0 });
    expect((await takeOne(ledger)).failures).toBe(0);
  });

  test("lets the whole endpoint rest when it asks for it", async () => {
    const ledger = await openLedger();
    await planned(ledger, 2);
    await settle(ledger, await takeOne(ledger), { ...FAILED, outcome: "failed", restMs: HOUR_MS });
    expect((await take(ledger)).deliveries).toEqual([]);
    await resumeEndpoint(ledger.redis, ledger.keys, ENDPOINT);
    expect((await take(ledger)).deliveries).toHaveLength(1);
  });

  test("does nothing for who lost the lease, but for what was delivered", async () => {
    const ledger = await openLedger();
    await planned(ledger);
    const lost = await takeOne(ledger, { leaseMs: 30 });
    const held = await eventually(() => takeOne(ledger));
    expect(await settle(ledger, lost, FAILED)).toBe("late");
    expect(await settle(ledger, lost, { outcome: "delivered" })).toBe("settled");
    expect(await settle(ledger, held, FAILED)).toBe("late");
    expect((await take(ledger)).standing.undelivered).toBe(0);
  });

  test("keeps a delivery that was given up as a dead letter, with body and reason", async () => {
    const ledger = await openLedger();
    const [id = ""] = await planned(ledger);
    await settle(ledger, await takeOne(ledger), { outcome: "dead", reason: "timeout", at: 7 });
    const [[, fields] = [undefined, []]] = await letters(ledger);
    expect(fields).toEqual([
      "endpoint",
      ENDPOINT,
      "delivery",
      id,
      "code",
      "timeout",
      "at",
      "7",
      "deliveries",
      "1",
      "body",
      `{"n":1}`,
    ]);
    expect((await take(ledger)).standing.undelivered).toBe(0);
  });

  test("holds an endpoint that is gone at once, and loses nothing of it", async () => {
    const ledger = await openLedger();
    await planned(ledger, 2);
    expect(await settle(ledger, await takeOne(ledger), { outcome: "gone" })).toBe("paused");
    await planned(ledger);
    const { standing, deliveries } = await take(ledger);
    expect([standing.paused, standing.undelivered, deliveries]).toEqual(["gone", 3, []]);
    await resumeEndpoint(ledger.redis, ledger.keys, ENDPOINT);
    expect((await take(ledger)).deliveries.map(({ failures }) => failures)).toEqual([0, 0, 0]);
  });

  test("holds an endpoint that does nothing but fail, once that has lasted", async () => {
    const ledger = await openLedger();
    await planned(ledger, 3);
    expect(await settle(ledger, await takeOne(ledger), FAILED)).toBe("settled");
    await ledger.redis.hset(ledger.keys.endpoint(ENDPOINT), "f", (await timeOf(ledger.redis)) - HOUR_MS - 1);
    expect(await settle(ledger, await takeOne(ledger), FAILED)).toBe("paused");
    expect((await take(ledger)).standing.paused).toBe("failing");
  });

  test("forgets earlier failures with the first delivery", async () => {
    const ledger = await openLedger();
    await planned(ledger, 3);
    await settle(ledger, await takeOne(ledger), FAILED);
    await ledger.redis.hset(ledger.keys.endpoint(ENDPOINT), "f", 1);
    await settle(ledger, await takeOne(ledger), { outcome: "delivered" });
    expect(await settle(ledger, await takeOne(ledger), FAILED)).toBe("settled");
  });

  test("ends a hold that is older than the time of its resumption, and no younger one", async () => {
    const ledger = await openLedger();
    await planned(ledger);
    await settle(ledger, await takeOne(ledger), { outcome: "gone" });
    const now = Math.ceil(await timeOf(ledger.redis));
    expect((await take(ledger, { resumedAt: now - HOUR_MS })).standing.paused).toBe("gone");
    expect((await take(ledger, { resumedAt: now + 1 })).deliveries).toHaveLength(1);
  });
});

describe("replayDeliveries", () => {
  test("brings an endpoint's dead letters back under their ids, and no other's", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const ids = await planned(ledger, 3);
    for (const delivery of (await take(ledger)).deliveries) {
      await settle(ledger, delivery, { outcome: "dead", reason: "timeout", at: 7 });
    }
    await redis.xadd(keys.deadLetters("delivery"), "*", "id", "s_1", "code", "unreadable", "group", "g");
    expect(await replayDeliveries(redis, keys, "desk", 0)).toBe(0);
    expect(await replayDeliveries(redis, keys, ENDPOINT, 0)).toBe(3);
    expect(await letters(ledger)).toHaveLength(1);
    expect((await take(ledger)).deliveries.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  });

  test("leaves alone what died before the time", async () => {
    const ledger = await openLedger();
    await planned(ledger);
    await settle(ledger, await takeOne(ledger), { outcome: "dead", reason: "timeout", at: 7 });
    const later = Math.ceil(await timeOf(ledger.redis)) + 1;
    expect(await replayDeliveries(ledger.redis, ledger.keys, ENDPOINT, later)).toBe(0);
    expect(await letters(ledger)).toHaveLength(1);
  });
});

describe("keepDeliveries", () => {
  test("lengthens the lease of who has it, and gives nobody another's back", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const [id = ""] = await planned(ledger);
    const lost = await takeOne(ledger, { leaseMs: 0 });
    const held = await takeOne(ledger, { leaseMs: 1000 });
    expect(
      await keepDeliveries(redis, keys, ENDPOINT, [{ ...lost, leaseUntil: lost.leaseUntil - 1 }], HOUR_MS),
    ).toEqual(new Map());
    const kept = await keepDeliveries(redis, keys, ENDPOINT, [held, { id: "wh_none", leaseUntil: 0 }], HOUR_MS);
    expect([...kept.keys()]).toEqual([id]);
    const leaseUntil = kept.get(id) ?? 0;
    expect(leaseUntil).toBeGreaterThanOrEqual(held.leaseUntil + HOUR_MS - 1000);
    expect(await settle(ledger, held, FAILED)).toBe("late");
    expect(await settle(ledger, { id, leaseUntil }, FAILED)).toBe("settled");
  });
});
