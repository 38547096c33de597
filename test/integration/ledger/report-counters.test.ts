import { pinInputs, type PlannedCounter } from "@assay/ledger";
import { describe, expect, test } from "vitest";
import { accepted } from "./builders.ts";
import { type Ledger, openConnection, openLedger, timeOf } from "./open-ledger.ts";
import { about, aCounter, counted, DAY_MS, pinned, tell, type Told } from "./telling.ts";

describe("reportOutcome, into counters", () => {
  test("counts an outcome in the counter that it concerns, at Redis's time", async () => {
    const ledger = await openLedger();
    const { id, members } = await counted(ledger);
    const before = await timeOf(ledger.redis);
    expect(await tell(ledger, { about: about(id), outcome: "login_failed" })).toEqual({
      status: "accepted",
      submissionId: id,
    });
    const [member, score] = await members();
    expect(member).toBe(id);
    expect(Number(score)).toBeGreaterThanOrEqual(Math.floor(before));
    expect(Number(score)).toBeLessThanOrEqual(await timeOf(ledger.redis));
  });

  test.each<{ said: string; told: Omit<Told, "about">; pairs: string[]; counts: boolean }>([
    { said: "the outcome it names", told: { outcome: "login_failed" }, pairs: ["login_failed/"], counts: true },
    { said: "another outcome", told: { outcome: "paid" }, pairs: ["login_failed/"], counts: false },
    { said: "any other outcome", told: { outcome: "paid" }, pairs: ["*/"], counts: true },
    { said: "no other outcome", told: { outcome: "login_failed" }, pairs: ["*/"], counts: false },
    { said: "a label alone", told: { label: "fraud" }, pairs: ["/fraud"], counts: true },
    { said: "the other label", told: { label: "legit" }, pairs: ["/fraud"], counts: false },
    { said: "both", told: { outcome: "login_failed", label: "fraud" }, pairs: ["login_failed/fraud"], counts: true },
    { said: "one of both", told: { outcome: "login_failed" }, pairs: ["login_failed/fraud"], counts: false },
    { said: "nothing", told: { outcome: "login_failed" }, pairs: [], counts: false },
  ])("counts by the pairs of the plan: $said, $pairs", async ({ told, pairs, counts }) => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    const counter = aCounter(id, { pairs });
    await pinned(ledger, id, counter);
    await tell(ledger, { about: about(id), ...told });
    expect(await ledger.redis.zcard(ledger.keys.counter(counter.key))).toBe(counts ? 1 : 0);
  });

  test("counts in each of several counters, with its own member and window", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const id = await accepted(ledger);
    const counters = [aCounter(id, { member: "m1" }), aCounter(id, { member: "m2", windowMs: 60_000 })];
    await pinned(ledger, id, ...counters);
    await tell(ledger, { about: about(id), outcome: "login_failed" });
    const zsets = counters.map(({ key }) => keys.counter(key));
    expect(await Promise.all(zsets.map((zset) => redis.zrange(zset, 0, "-1")))).toEqual([["m1"], ["m2"]]);
    const [longTtlMs = 0, shortTtlMs = 0] = await Promise.all(zsets.map((zset) => redis.pttl(zset)));
    expect(longTtlMs).toBeGreaterThan(2 * DAY_MS - 60_000);
    expect(shortTtlMs).toBeLessThanOrEqual(DAY_MS + 60_000);
  });

  test("counts a submission once for two outcomes, at the later time", async () => {
    const ledger = await openLedger();
    const { id, members } = await counted(ledger);
    const now = Math.floor(await timeOf(ledger.redis));
    for (const occurredAt of [now, now - 5000]) {
      await tell(ledger, { about: about(id), outcome: "login_failed", occurred_at: occurredAt });
    }
    expect(await members()).toEqual([id, String(now)]);
  });

  test("forgets what fell out of the window more than a day ago", async () => {
    const ledger = await openLedger();
    const { id, counter, members } = await counted(ledger);
    const at = Math.floor(await timeOf(ledger.redis));
    await ledger.redis.zadd(ledger.keys.counter(counter.key), at - 2 * DAY_MS, "gone", at - 2 * DAY_MS + 1, "kept");
    await tell(ledger, { about: about(id), outcome: "login_failed", occurred_at: at });
    expect(await members()).toEqual(["kept", String(at - 2 * DAY_MS + 1), id, String(at)]);
  });

  test("keeps the latest 1,000 members", async () => {
    const ledger = await openLedger();
    const { id, counter } = await counted(ledger);
    const zset = ledger.keys.counter(counter.key);
    const at = Math.floor(await timeOf(ledger.redis));
    await ledger.redis.zadd(zset, ...Array.from({ length: 1000 }, (_, n) => [at - 1000 + n, `m${n}`]).flat());
    await tell(ledger, { about: about(id), outcome: "login_failed", occurred_at: at });
    expect(await ledger.redis.zcard(zset)).toBe(1000);
    expect(await ledger.redis.zscore(zset, "m0")).toBeNull();
    expect(await ledger.redis.zscore(zset, "m1")).not.toBeNull();
  });
});

describe("pinInputs, where outcomes were told", () => {
  /** Pins a plan as a worker does. */
  async function pin({ redis, keys }: Ledger, id: string, plan: PlannedCounter): Promise<void> {
    const { key, definition, windowMs } = plan;
    const at = Math.floor(await timeOf(redis));
    await pinInputs(redis, keys, [
      { id, receivedAt: at, eventTime: at, counters: [{ key, definition, windowMs, plan }] },
    ]);
  }

  test("counts them when it writes the plan, and not twice", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const id = await accepted(ledger);
    const plan = aCounter(id);
    const at = Math.floor(await timeOf(redis));
    for (const occurredAt of [at - 1, at]) {
      await tell(ledger, { about: about(id), outcome: "login_failed", occurred_at: occurredAt });
    }
    await tell(ledger, { about: about(id), outcome: "paid" });
    await pin(ledger, id, plan);
    const zset = keys.counter(plan.key);
    expect(await redis.zrange(zset, 0, "-1", "WITHSCORES")).toEqual([id, String(at)]);
    await redis.del(zset);
    await pin(ledger, id, plan);
    expect(await redis.exists(zset)).toBe(0);
  });

  test("loses none of 100 that are told at that moment", async () => {
    const ledger = await openLedger();
    const other = { ...ledger, redis: await openConnection() };
    const ids = await Promise.all(Array.from({ length: 100 }, () => accepted(ledger)));
    const plan = aCounter("");
    await Promise.all(
      ids.flatMap((id) => [
        tell(other, { about: about(id), outcome: "login_failed" }),
        pin(ledger, id, { ...plan, member: id }),
      ]),
    );
    expect(await ledger.redis.zcard(ledger.keys.counter(plan.key))).toBe(100);
  });
});
