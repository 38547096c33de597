import { acceptSubmissions, findOverdue, letGoSubmissions, pendingOf, publishVerdicts } from "@assay/ledger";
import { describe, expect, test } from "vitest";
import { accepted, anArrival, aPublication, keeping, loaded } from "./builders.ts";
import { type Ledger, openLedger, timeOf } from "./open-ledger.ts";

/** Past every arrival of a test, as the clock of Redis tells it. */
async function later({ redis }: Ledger): Promise<number> {
  return Math.ceil(await timeOf(redis)) + 60_000;
}

async function overdueOf(ledger: Ledger, over: Partial<Parameters<typeof findOverdue>[3]> = {}) {
  const before = await later(ledger);
  return findOverdue(ledger.redis, ledger.keys, "results", { before, now: before, limit: 1000, ...over });
}

/** Accepts one submission for each offset from Redis's time. */
async function acceptedAt(ledger: Ledger, ...offsetsMs: number[]): Promise<{ ids: string[]; now: number }> {
  const now = Math.floor(await timeOf(ledger.redis));
  const arrivals = offsetsMs.map((offsetMs) => ({ ...anArrival(), receivedAt: now + offsetMs }));
  await acceptSubmissions(ledger.redis, ledger.keys, arrivals);
  return { ids: arrivals.map(({ id }) => id), now };
}

describe("findOverdue", () => {
  test("finds what is undecided and old, oldest first", async () => {
    const ledger = await openLedger();
    const { ids, now } = await acceptedAt(ledger, -1_000, -3_000, 2_000);
    const [second, first] = ids;
    expect(await overdueOf(ledger, { before: now })).toEqual({ ids: [first, second], forgotten: 0 });
  });

  test("finds at most as many as it is told", async () => {
    const ledger = await openLedger();
    const { ids } = await acceptedAt(ledger, -3_000, -2_000, -1_000);
    expect(await overdueOf(ledger, { limit: 2 })).toEqual({ ids: ids.slice(0, 2), forgotten: 0 });
  });

  test("does not find what is decided, nor what waits in another lane", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    await accepted(ledger, { kind: "lookup", event_id: "e1" });
    await publishVerdicts(ledger.redis, ledger.keys, [aPublication(id)], keeping(ledger));
    expect(await overdueOf(ledger)).toEqual({ ids: [], forgotten: 0 });
  });

  test("does not find what is snoozed, until its time has come", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    await loaded(ledger, id, "token1");
    const until = (await later(ledger)) + 60_000;
    const snoozed = { why: "lookup_saturated", until };
    await letGoSubmissions(ledger.redis, ledger.keys, "token1", [{ id, spendsRetry: false, snoozed }]);
    expect(await overdueOf(ledger, { now: until - 1 })).toEqual({ ids: [], forgotten: 0 });
    expect(await overdueOf(ledger, { now: until })).toEqual({ ids: [id], forgotten: 0 });
  });

  test("forgets pending entries whose record has gone or is decided, and only those", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const [gone, decided, waiting] = [await accepted(ledger), await accepted(ledger), await accepted(ledger)];
    await redis.del(keys.record(gone));
    await publishVerdicts(redis, keys, [aPublication(decided)], keeping(ledger));
    await redis.zadd(keys.pending("results"), 1, decided);
    expect(await overdueOf(ledger)).toEqual({ ids: [waiting], forgotten: 2 });
    expect(await redis.zrange(keys.pending("results"), 0, "-1")).toEqual([waiting]);
  });

  test.each([0, 1, 2, 3, 4])(
    "never forgets what is accepted anew while it looks, %i replies after it began",
    async (replies) => {
      const ledger = await openLedger();
      const { redis, keys } = ledger;
      const { ids } = await acceptedAt(ledger, -2_000, -1_000, 0);
      const before = await later(ledger);
      await redis.del(...ids.map((id) => keys.record(id)));
      const accepting = (async () => {
        for (let reply = 0; reply < replies; reply++) await redis.ping();
        const arrivals = ids.map((id) => anArrival({}, id));
        await acceptSubmissions(redis, keys, arrivals);
      })();
      await findOverdue(redis, keys, "results", { before, now: before, limit: 1000 });
      await accepting;
      expect(await redis.zcard(keys.pending("results"))).toBe(3);
    },
  );
});

describe("pendingOf", () => {
  test("counts what waits in a lane, and says since when", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    expect(await pendingOf(redis, keys, "results")).toEqual({ count: 0 });
    const { ids, now } = await acceptedAt(ledger, -1_000, -3_000);
    expect(await pendingOf(redis, keys, "results")).toEqual({ count: 2, oldest: now - 3_000 });
    await publishVerdicts(redis, keys, [aPublication(ids[1] ?? "")], keeping(ledger));
    expect(await pendingOf(redis, keys, "results")).toEqual({ count: 1, oldest: now - 1_000 });
  });
});
