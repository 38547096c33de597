import { randomUUID } from "node:crypto";
import { acceptSubmissions, publishVerdicts } from "@assay/ledger";
import { outcomeId, webhookId } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { accepted, anArrival, anId, aPublication, keeping } from "./builders.ts";
import { type Ledger, openConnection, openLedger, timeOf } from "./open-ledger.ts";
import { about, aCounter, counted, DAY_MS, outcomesOf, pinned, stateOf, tell, type Told } from "./telling.ts";

describe("reportOutcome", () => {
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

  test("takes any number of outcomes once it is decided", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    await tell(ledger, { about: about(id), outcome: "login_failed" });
    await decided(ledger, id);
    for (let n = 0; n < 17; n++) {
      expect(await tell(ledger, { about: about(id), label: "fraud" })).toMatchObject({ status: "accepted" });
    }
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
