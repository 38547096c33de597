import { type CounterRequest, type Inputs, pinInputs, type PinRequest, publishVerdicts } from "@assay/ledger";
import { describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { accepted, aCounterRequest, anId, aPublication, aUse, HOUR_MS, keeping, RECEIVED_AT } from "./builders.ts";
import { type Ledger, openConnection, openLedger } from "./open-ledger.ts";

const DAY_MS = 24 * HOUR_MS;
const OTHER = "fedcba9876543210";

/** A submission that nobody presented and that counts in one counter. */
function aCount(id: string, over: Partial<PinRequest> = {}, counter: Partial<CounterRequest> = {}): PinRequest {
  return {
    id,
    receivedAt: RECEIVED_AT,
    eventTime: over.receivedAt ?? RECEIVED_AT,
    counters: [aCounterRequest({ member: id, ...counter })],
    ...over,
  };
}

async function pin({ redis, keys }: Ledger, request: PinRequest): Promise<Inputs> {
  const [inputs] = await pinInputs(redis, keys, [request]);
  if (inputs === undefined) throw new Error("the pin script did not answer");
  return inputs;
}

/** The value of the first counter of a new submission. */
async function count(ledger: Ledger, over: Partial<PinRequest> = {}, counter: Partial<CounterRequest> = {}) {
  const { counters } = await pin(ledger, aCount(await accepted(ledger), over, counter));
  return counters[0]?.value;
}

/** The same, where the submission itself does not count. */
async function look(ledger: Ledger, receivedAt: number = RECEIVED_AT) {
  const { member: _, ...counter } = aCounterRequest();
  const id = await accepted(ledger);
  return (await pin(ledger, { id, receivedAt, eventTime: receivedAt, counters: [counter] })).counters[0]?.value;
}

describe("counters of pinInputs", () => {
  test("hold the submission that is judged, and those before it", async () => {
    const ledger = await openLedger();
    expect([await count(ledger), await count(ledger), await count(ledger)]).toEqual([1, 2, 3]);
  });

  test("keep keys apart", async () => {
    const ledger = await openLedger();
    expect([await count(ledger), await count(ledger, {}, { key: "visitor2" })]).toEqual([1, 1]);
  });

  test("count 50 retries and a webhook of one event at once as one", async () => {
    const ledger = await openLedger();
    const connections = await Promise.all([1, 2, 3, 4, 5].map(() => openConnection()));
    const [id, webhook] = [await accepted(ledger), await accepted(ledger, { kind: "webhook", event_id: "e1" })];
    const requests = Array.from({ length: 50 }, () => aCount(id, {}, { member: "e1" }));
    requests.splice(25, 0, aCount(webhook, {}, { member: "e1" }));
    const all = await Promise.all(
      requests.map((request, n) => pin({ ...ledger, redis: connections[n % 5] ?? ledger.redis }, request)),
    );
    expect(new Set(all.map(({ counters }) => counters[0]?.value))).toEqual(new Set([1]));
    expect(await ledger.redis.zrange(ledger.keys.counter("visitor1"), 0, "-1")).toEqual(["e1"]);
    expect(await count(ledger)).toBe(2);
  });

  test("are told as of another time where one is named, and do not move", async () => {
    const ledger = await openLedger();
    const first = RECEIVED_AT - 3 * HOUR_MS;
    for (const receivedAt of [first, first + 1000, RECEIVED_AT - 1, RECEIVED_AT]) await count(ledger, { receivedAt });
    const { redis, keys } = ledger;
    const before = await redis.zrange(keys.counter("visitor1"), 0, "-1", "WITHSCORES");
    const { member: _, ...counter } = aCounterRequest();
    const valueAsOf = async (asOf?: number) => {
      const request = { id: await accepted(ledger), receivedAt: RECEIVED_AT, eventTime: asOf ?? RECEIVED_AT };
      return (await pin(ledger, { ...request, counters: [counter], ...(asOf === undefined ? {} : { asOf }) }))
        .counters[0];
    };
    expect(await valueAsOf()).toEqual({ value: 2, isWarming: false });
    // The counter began with the first: as of then, it had counted for no time at all.
    expect(await valueAsOf(first)).toEqual({ value: 1, isWarming: true });
    expect(await valueAsOf(first + 1000)).toEqual({ value: 2, isWarming: true });
    expect(await valueAsOf(first - 1)).toEqual({ value: 0, isWarming: true });
    expect(await redis.zrange(keys.counter("visitor1"), 0, "-1", "WITHSCORES")).toEqual(before);
  });

  test("answer what was pinned, whatever was counted since or is lost", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    const first = await pin(ledger, aCount(id));
    await count(ledger);
    expect(await pin(ledger, aCount(id))).toEqual(first);
    await ledger.redis.del(ledger.keys.counter("visitor1"), ledger.keys.counterSince(aCounterRequest().definition));
    expect(await pin(ledger, aCount(id))).toEqual(first);
    expect(await ledger.redis.exists(ledger.keys.counter("visitor1"))).toBe(0);
  });

  test("count only what is new to a retry under other rules", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    await pin(ledger, aCount(id));
    await count(ledger);
    const other = aCounterRequest({ member: id, definition: OTHER, key: "other1" });
    const again = await pin(ledger, aCount(id, { counters: [other, aCounterRequest({ member: id })] }));
    expect(again.counters.map(({ value }) => value)).toEqual([1, 1]);
    expect(await ledger.redis.zcard(ledger.keys.counter("visitor1"))).toBe(2);
  });

  test("do not count a replay, and still tell it the value", async () => {
    const ledger = await openLedger();
    const values: (number | undefined)[] = [];
    for (const eventId of ["e1", "e1", "e2"]) {
      const use = aUse({ id: await accepted(ledger), eventId });
      const { counters } = await pin(ledger, { ...use, counters: [aCounterRequest({ member: use.id })] });
      values.push(counters[0]?.value);
    }
    expect(values).toEqual([1, 1, 2]);
  });

  test("are claimed, counted and read for a whole batch in one round trip", async () => {
    const ledger = await openLedger();
    const ids = await Promise.all(Array.from({ length: 64 }, () => accepted(ledger)));
    // So that the server knows the script.
    await pinInputs(ledger.redis, ledger.keys, []);
    const commands: string[] = [];
    const monitor = await (await openConnection()).monitor();
    monitor.on("monitor", (_, args: string[], source: string) => {
      if (source !== "lua" && args.some((arg) => arg.includes(ledger.prefix))) commands.push(args[0] ?? "");
    });
    const counters = [aCounterRequest(), aCounterRequest({ definition: OTHER, key: "other1" })];
    const answers = await pinInputs(
      ledger.redis,
      ledger.keys,
      ids.map((id, n) => ({ ...aUse({ id, eventId: `e${n}` }), counters })),
    );
    await ledger.redis.get(`${ledger.prefix}:end`);
    await eventually(() => commands.includes("get"));
    monitor.disconnect();
    expect(answers).toHaveLength(64);
    expect(commands).toEqual(["EVALSHA", "get"]);
  });

  test("make no record of a submission that has none", async () => {
    const ledger = await openLedger();
    const id = anId();
    expect((await pin(ledger, aCount(id))).counters[0]?.value).toBe(1);
    expect(await ledger.redis.exists(ledger.keys.record(id))).toBe(0);
  });
});

describe("the window of a counter", () => {
  test.each([
    { what: "what is exactly as old as the window is out", at: HOUR_MS, value: 0 },
    { what: "what is a millisecond younger is in", at: HOUR_MS - 1, value: 1 },
    { what: "what is of the same moment is in", at: 0, value: 1 },
    { what: "what is later by a millisecond is out", at: -1, value: 0 },
  ])("$what", async ({ at, value }) => {
    const ledger = await openLedger();
    await count(ledger, { receivedAt: RECEIVED_AT - at });
    expect(await look(ledger)).toBe(value);
  });

  test("goes by the time of the event", async () => {
    const ledger = await openLedger();
    await count(ledger, { receivedAt: RECEIVED_AT, eventTime: RECEIVED_AT - 5000 });
    expect(await look(ledger, RECEIVED_AT + HOUR_MS - 5001)).toBe(1);
    expect(await look(ledger, RECEIVED_AT + HOUR_MS - 5000)).toBe(0);
  });

  test("reaches to the event's own time where its clock is ahead", async () => {
    const ledger = await openLedger();
    const ahead = { eventTime: RECEIVED_AT + 4000 };
    expect([await count(ledger, ahead), await count(ledger, ahead)]).toEqual([1, 2]);
    expect(await count(ledger)).toBe(1);
  });

  test("takes no clock that is ahead by more than ten seconds", async () => {
    const ledger = await openLedger();
    await count(ledger, { eventTime: RECEIVED_AT + DAY_MS });
    expect(await look(ledger, RECEIVED_AT + 9999)).toBe(0);
    expect(await look(ledger, RECEIVED_AT + 10_000)).toBe(1);
  });

  test("keeps a submission counted whose event has left it", async () => {
    const ledger = await openLedger();
    await count(ledger);
    expect(await count(ledger, { eventTime: RECEIVED_AT - 2 * HOUR_MS })).toBe(2);
    expect(await look(ledger)).toBe(1);
  });

  test("keeps a distinct value counted that a later submission has raised beyond it", async () => {
    const ledger = await openLedger();
    const account = { member: "account1" };
    expect(await count(ledger, { receivedAt: RECEIVED_AT + 60_000 }, account)).toBe(1);
    expect(await count(ledger, {}, account)).toBe(1);
    expect(await ledger.redis.zscore(ledger.keys.counter("visitor1"), "account1")).toBe(String(RECEIVED_AT + 60_000));
  });

  test("is whole for a submission that is judged after younger ones", async () => {
    const ledger = await openLedger();
    for (let minute = 0; minute < 60; minute++) await count(ledger, { receivedAt: RECEIVED_AT + minute * 60_000 });
    await count(ledger, { receivedAt: RECEIVED_AT + 3 * HOUR_MS });
    expect(await look(ledger, RECEIVED_AT + 59 * 60_000)).toBe(60);
    expect(await look(ledger, RECEIVED_AT + HOUR_MS)).toBe(59);
    expect(await look(ledger, RECEIVED_AT + 3 * HOUR_MS)).toBe(1);
  });

  test("counts a distinct value once, at its latest time", async () => {
    const ledger = await openLedger();
    for (const minute of [0, 30, 59]) {
      expect(await count(ledger, { receivedAt: RECEIVED_AT + minute * 60_000 }, { member: "account1" })).toBe(1);
    }
    expect(await look(ledger, RECEIVED_AT + HOUR_MS + 58 * 60_000)).toBe(1);
  });
});

describe("the memory of a counter", () => {
  test("holds 1,000 members, and lets the oldest go", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const members = Array.from({ length: 1000 }, (_, n) => [RECEIVED_AT - 5000 + n, `old${n}`]).flat();
    await redis.zadd(keys.counter("visitor1"), ...members);
    expect(await count(ledger)).toBe(1000);
    expect(await redis.zcard(keys.counter("visitor1"))).toBe(1000);
    expect(await redis.zscore(keys.counter("visitor1"), "old0")).toBeNull();
    // One that would be the oldest of all is not kept, and never counts beyond the bound.
    expect(await count(ledger, { eventTime: RECEIVED_AT - 6000 })).toBe(1000);
  });

  test("forgets what fell out of the window more than a day ago", async () => {
    const ledger = await openLedger();
    await count(ledger);
    await count(ledger, { receivedAt: RECEIVED_AT + HOUR_MS + DAY_MS - 1 });
    expect(await ledger.redis.zcard(ledger.keys.counter("visitor1"))).toBe(2);
    await count(ledger, { receivedAt: RECEIVED_AT + HOUR_MS + DAY_MS });
    expect(await ledger.redis.zcard(ledger.keys.counter("visitor1"))).toBe(2);
  });

  test("lasts for a window and a day after the last that counted", async () => {
    const ledger = await openLedger();
    await count(ledger);
    const ttlMs = await ledger.redis.pttl(ledger.keys.counter("visitor1"));
    expect(ttlMs).toBeGreaterThan(DAY_MS + HOUR_MS - 60_000);
    expect(ttlMs).toBeLessThanOrEqual(DAY_MS + HOUR_MS);
  });

  test("is not made by a look", async () => {
    const ledger = await openLedger();
    expect(await look(ledger)).toBe(0);
    expect(await ledger.redis.exists(ledger.keys.counter("visitor1"))).toBe(0);
  });
});

describe("a counter that is younger than its window", () => {
  const isWarming = async (ledger: Ledger, receivedAt: number, counter: Partial<CounterRequest> = {}) =>
    (await pin(ledger, aCount(await accepted(ledger), { receivedAt }, counter))).counters[0]?.isWarming;

  test("says so until it has counted for a window", async () => {
    const ledger = await openLedger();
    expect(await isWarming(ledger, RECEIVED_AT)).toBe(true);
    expect(await isWarming(ledger, RECEIVED_AT + HOUR_MS - 1)).toBe(true);
    expect(await isWarming(ledger, RECEIVED_AT + HOUR_MS)).toBe(false);
  });

  test("is known by its definition, not by its key", async () => {
    const ledger = await openLedger();
    await isWarming(ledger, RECEIVED_AT);
    expect(await isWarming(ledger, RECEIVED_AT + HOUR_MS, { key: "visitor2" })).toBe(false);
    expect(await isWarming(ledger, RECEIVED_AT + HOUR_MS, { definition: OTHER })).toBe(true);
  });

  test("is remembered for two windows and a day after its last use", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const since = keys.counterSince(aCounterRequest().definition);
    await isWarming(ledger, RECEIVED_AT);
    await redis.pexpire(since, HOUR_MS);
    await isWarming(ledger, RECEIVED_AT + HOUR_MS);
    expect(await redis.get(since)).toBe(String(RECEIVED_AT));
    expect(await redis.pttl(since)).toBeGreaterThan(DAY_MS + HOUR_MS);
  });
});

describe("the plan of outcome counters", () => {
  const plan = (id: string, over: Partial<CounterRequest> = {}) => {
    const read = { key: "failed1", definition: OTHER, windowMs: HOUR_MS, ...over };
    return { ...read, plan: { ...read, member: id, names: ["login_failed"], pairs: ["login_failed/"] } };
  };

  test("is pinned in the record, and counts nothing by itself", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    const counter = plan(id);
    expect((await pin(ledger, aCount(id, { counters: [counter] }))).counters[0]?.value).toBe(0);
    expect(JSON.parse((await ledger.redis.hget(ledger.keys.record(id), "oc")) ?? "")).toEqual([counter.plan]);
    expect(await ledger.redis.exists(ledger.keys.counter("failed1"))).toBe(0);
  });

  test("grows by what is new to a retry", async () => {
    const ledger = await openLedger();
    const id = await accepted(ledger);
    const [one, two] = [plan(id), plan(id, { key: "failed2", definition: "0000000000000000" })];
    await pin(ledger, aCount(id, { counters: [one] }));
    await pin(ledger, aCount(id, { counters: [two, one] }));
    expect(JSON.parse((await ledger.redis.hget(ledger.keys.record(id), "oc")) ?? "")).toEqual([one.plan, two.plan]);
  });

  test("counts the outcomes that were told before it once, for those who come later", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const id = await accepted(ledger);
    await redis.hset(keys.record(id), "o", `{"outcome":"login_failed","occurred_at":${RECEIVED_AT}}\n`);
    const own = await pin(ledger, aCount(id, { counters: [plan(id)] }));
    expect(own.counters[0]?.value).toBe(0);
    expect(await redis.zrange(keys.counter("failed1"), 0, "-1", "WITHSCORES")).toEqual([id, String(RECEIVED_AT)]);
    const next = await accepted(ledger);
    expect((await pin(ledger, aCount(next, { counters: [plan(next)] }))).counters[0]?.value).toBe(1);
  });

  test("counts in what is new to a retry also the outcomes that were told between the tries", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const id = await accepted(ledger);
    const [one, two] = [plan(id), plan(id, { key: "failed2", definition: "0000000000000000" })];
    await pin(ledger, aCount(id, { counters: [one] }));
    await redis.hset(keys.record(id), "o", `{"outcome":"login_failed","occurred_at":${RECEIVED_AT}}\n`);
    await pin(ledger, aCount(id, { counters: [one, two] }));
    expect(await redis.zrange(keys.counter("failed2"), 0, "-1")).toEqual([id]);
    expect(await redis.exists(keys.counter("failed1"))).toBe(0);
  });

  test("outlives the decision", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const id = await accepted(ledger);
    await pin(ledger, aCount(id, { counters: [plan(id)] }));
    await publishVerdicts(redis, keys, [aPublication(id)], keeping(ledger));
    expect(await redis.hexists(keys.record(id), "oc")).toBe(1);
  });
});
