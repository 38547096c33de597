import { randomUUID } from "node:crypto";
import {
  acceptSubmissions,
  type PlannedCounter,
  publishVerdicts,
  type Reported,
  reportOutcome,
  readSubmissionState,
} from "@assay/ledger";
import { type Outcome, outcomeId, webhookId } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { accepted, anArrival, anId, aPublication, keeping } from "./builders.ts";
import { type Ledger, openConnection, openLedger, timeOf } from "./open-ledger.ts";

const HASH_KEY = "installation-key";
const DAY_MS = 86_400_000;

type Told = Omit<Partial<Outcome>, "about"> & Pick<Outcome, "about">;

/** Tells an outcome; every call is another operation unless it names one. */
function tell({ redis, keys }: Ledger, outcome: Told, operation: string = randomUUID()): Promise<Reported> {
  return reportOutcome(redis, keys, { id: outcomeId("0", "default", operation), outcome }, HASH_KEY);
}

function about(id: string): Outcome["about"] {
  return { by: "submission_id", value: id };
}

/** A counter of failed logins, or of whatever `over` says. */
function aCounter(id: string, over: Partial<PlannedCounter> = {}): PlannedCounter {
  const base = { key: `h${randomUUID()}`, definition: "0123456789abcdef", windowMs: DAY_MS, member: id };
  return { ...base, names: ["login_failed"], pairs: ["login_failed/", "login_failed/fraud"], ...over };
}

async function pinned({ redis, keys }: Ledger, id: string, ...plan: PlannedCounter[]): Promise<void> {
  await redis.hset(keys.record(id), "oc", JSON.stringify(plan));
}

/** Does something right after the next HMGET on this connection, before its caller hears of it. */
function onNextRead({ redis }: Ledger, act: () => Promise<unknown>): void {
  const hmget = redis.hmget.bind(redis);
  Object.assign(redis, {
    async hmget(...args: Parameters<typeof hmget>) {
      Object.assign(redis, { hmget });
      const read = await hmget(...args);
      await act();
      return read;
    },
  });
}

/** A submission with one counter of failed logins. */
async function counted(ledger: Ledger) {
  const id = await accepted(ledger);
  const counter = aCounter(id);
  await pinned(ledger, id, counter);
  return { id, counter, members: () => ledger.redis.zrange(ledger.keys.counter(counter.key), 0, "-1", "WITHSCORES") };
}

describe("reportOutcome", () => {
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

  test("forgets what fell out of the window", async () => {
    const ledger = await openLedger();
    const { id, counter, members } = await counted(ledger);
    const at = Math.floor(await timeOf(ledger.redis));
    await ledger.redis.zadd(ledger.keys.counter(counter.key), at - DAY_MS, "gone", at - DAY_MS + 1, "kept");
    await tell(ledger, { about: about(id), outcome: "login_failed", occurred_at: at });
    expect(await members()).toEqual(["kept", String(at - DAY_MS + 1), id, String(at)]);
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

  test("says duplicate of what was told before, and changes nothing", async () => {
    const ledger = await openLedger();
    const { id, members } = await counted(ledger);
    const outcome: Told = { about: about(id), outcome: "login_failed" };
    await tell(ledger, outcome, "login-7");
    const before = await members();
    expect(await tell(ledger, outcome, "login-7")).toEqual({ status: "duplicate", submissionId: id });
    expect(await members()).toEqual(before);
    expect(await outcomesOf(ledger, id)).toHaveLength(1);
  });

  test("counts 50 racing reports of one operation once", async () => {
    const ledger = await openLedger();
    const { id, members } = await counted(ledger);
    const connections = await Promise.all([1, 2, 3, 4, 5].map(() => openConnection()));
    const reports = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        tell(
          { ...ledger, redis: connections[n % 5] ?? ledger.redis },
          { about: about(id), outcome: "login_failed" },
          "login-7",
        ),
      ),
    );
    expect(reports.filter(({ status }) => status === "accepted")).toHaveLength(1);
    expect(reports.filter(({ status }) => status === "duplicate")).toHaveLength(49);
    expect(await members()).toHaveLength(2);
    expect(await outcomesOf(ledger, id)).toHaveLength(1);
  });

  test.each<[string, Partial<Told>]>([
    ["another outcome", { outcome: "paid" }],
    ["another label", { label: "fraud" }],
    ["another time", { occurred_at: 1_760_000_000_000 }],
    ["another submission", { about: about(anId()) }],
  ])("calls %s under the same operation a conflict", async (_, change) => {
    const ledger = await openLedger();
    const { id } = await counted(ledger);
    const outcome: Told = { about: about(id), outcome: "login_failed" };
    await tell(ledger, outcome, "login-7");
    expect(await tell(ledger, { ...outcome, ...change }, "login-7")).toEqual({ status: "conflict" });
    expect(await outcomesOf(ledger, id)).toHaveLength(1);
  });

  test("remembers an operation for a day at least, and as long as the record", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const [short, long] = [await accepted(ledger), await accepted(ledger)];
    await redis.pexpire(keys.record(short), 60_000);
    await redis.pexpire(keys.record(long), 7 * DAY_MS);
    const ttls = await Promise.all(
      [short, long].map(async (id) => {
        await tell(ledger, { about: about(id), label: "legit" }, id);
        return redis.pttl(keys.outcome(outcomeId("0", "default", id)));
      }),
    );
    expect(ttls[0]).toBeGreaterThan(DAY_MS - 60_000);
    expect(ttls[0]).toBeLessThanOrEqual(DAY_MS);
    expect(ttls[1]).toBeGreaterThan(6 * DAY_MS);
  });

  test("takes a time of a clock that is a little ahead, and none that is more", async () => {
    const ledger = await openLedger();
    const { id, members } = await counted(ledger);
    const outcome: Told = { about: about(id), outcome: "login_failed" };
    const now = Math.floor(await timeOf(ledger.redis));
    expect(await tell(ledger, { ...outcome, occurred_at: now + 60_000 })).toEqual({ status: "ahead" });
    expect(await members()).toEqual([]);
    expect(await tell(ledger, { ...outcome, occurred_at: now + 9000 })).toMatchObject({ status: "accepted" });
  });

  test("knows nothing of what nobody handed in, and writes nothing", async () => {
    const ledger = await openLedger();
    expect(await tell(ledger, { about: about(anId()), label: "fraud" })).toEqual({ status: "missing" });
    expect(await ledger.redis.keys(`${ledger.prefix}:*`)).toEqual([]);
  });
});

describe("reportOutcome, between its read and its write", () => {
  test("counts by a plan that comes in between", async () => {
    const ledger = await openLedger();
    const { id, counter, members } = await counted(ledger);
    const late = aCounter(id);
    onNextRead(ledger, () => pinned(ledger, id, counter, late));
    await tell(ledger, { about: about(id), outcome: "login_failed" });
    expect(await members()).toHaveLength(2);
    expect(await ledger.redis.zcard(ledger.keys.counter(late.key))).toBe(1);
  });

  test("writes nothing when the submission is forgotten in between", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    onNextRead(ledger, () => ledger.redis.del(ledger.keys.record(id)));
    expect(await tell(ledger, { about: about(id), outcome: "login_failed" })).toEqual({ status: "missing" });
    expect(await ledger.redis.exists(ledger.keys.record(id))).toBe(0);
  });
});

describe("reportOutcome, by event", () => {
  test("finds the newest submission that a caller presented, though a webhook came later", async () => {
    const ledger = await openLedger();
    const eventId = randomUUID();
    const [older, newer] = [await accepted(ledger), await accepted(ledger)];
    const webhook = await webhookOf(ledger, eventId);
    for (const id of [older, newer, webhook]) await decided(ledger, id, eventId);
    expect(await tell(ledger, { about: { by: "event_id", value: eventId }, label: "fraud" })).toEqual({
      status: "accepted",
      submissionId: newer,
    });
  });

  test("finds the webhook's where nobody presented the event, or that is forgotten", async () => {
    const ledger = await openLedger();
    const eventId = randomUUID();
    const presented = await accepted(ledger);
    const webhook = await webhookOf(ledger, eventId);
    for (const id of [presented, webhook]) await decided(ledger, id, eventId);
    await ledger.redis.del(ledger.keys.record(presented));
    expect(await tell(ledger, { about: { by: "event_id", value: eventId }, label: "fraud" })).toMatchObject({
      submissionId: webhook,
    });
  });

  test("answers a repetition as before, though a newer submission has come", async () => {
    const ledger = await openLedger();
    const eventId = randomUUID();
    const first = await accepted(ledger);
    await decided(ledger, first, eventId);
    const outcome: Told = { about: { by: "event_id", value: eventId }, label: "fraud" };
    await tell(ledger, outcome, "case-1");
    const second = await accepted(ledger);
    await decided(ledger, second, eventId);
    expect(await tell(ledger, outcome, "case-1")).toEqual({ status: "duplicate", submissionId: first });
    expect(await outcomesOf(ledger, second)).toBeUndefined();
  });
});

describe("the record", () => {
  test("keeps what was told, in that order, and the last label", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    const told = [
      { outcome: "chargeback", label: "fraud", occurred_at: 1_760_000_000_002 },
      { label: "legit", occurred_at: 1_760_000_000_001 },
      { outcome: "refunded", occurred_at: 1_760_000_000_003 },
    ] as const;
    for (const one of told) await tell(ledger, { about: about(id), ...one });
    expect(await stateOf(ledger, id)).toMatchObject({ label: "legit", outcomes: told });
  });

  test("keeps the latest 32 outcomes, and the label though it was told before", async () => {
    const ledger = await openLedger();
    const { id } = await counted(ledger);
    await tell(ledger, { about: about(id), outcome: "first", label: "fraud" });
    for (let n = 1; n <= 33; n++) await tell(ledger, { about: about(id), outcome: `n${n}` });
    const { label, outcomes = [] } = (await stateOf(ledger, id)) ?? {};
    expect(label).toBe("fraud");
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 32 }, (_, n) => `n${n + 2}`));
  });

  test("keeps outcomes waiting for a plan, up to 16, and takes no more until then", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    const reports = [];
    for (let n = 0; n < 17; n++) reports.push(await tell(ledger, { about: about(id), outcome: "login_failed" }));
    expect(reports.map(({ status }) => status)).toEqual([...Array.from({ length: 16 }, () => "accepted"), "full"]);
    expect(await outcomesOf(ledger, id)).toHaveLength(16);
    await pinned(ledger, id, aCounter(id));
    expect(await tell(ledger, { about: about(id), outcome: "login_failed" })).toMatchObject({ status: "accepted" });
  });

  test("keeps none waiting once it is decided", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    await decided(ledger, id);
    for (let n = 0; n < 17; n++) {
      expect(await tell(ledger, { about: about(id), label: "fraud" })).toMatchObject({ status: "accepted" });
    }
    expect(await ledger.redis.hexists(ledger.keys.record(id), "ow")).toBe(0);
  });
});

async function decided(ledger: Ledger, id: string, eventId?: string): Promise<void> {
  const verdict = eventId === undefined ? {} : { event_id: eventId };
  await publishVerdicts(ledger.redis, ledger.keys, [aPublication(id, {}, verdict)], keeping(ledger));
}

async function webhookOf({ redis, keys }: Ledger, eventId: string): Promise<string> {
  const id = webhookId("0", eventId);
  await acceptSubmissions(redis, keys, [anArrival({ kind: "webhook", event_id: eventId }, id)]);
  return id;
}

function stateOf({ redis, keys }: Ledger, id: string) {
  return readSubmissionState(redis, keys, id, 0);
}

async function outcomesOf(ledger: Ledger, id: string) {
  return (await stateOf(ledger, id))?.outcomes;
}
