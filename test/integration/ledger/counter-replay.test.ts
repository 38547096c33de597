import { type CounterRequest, pinInputs } from "@assay/ledger";
import { CounterMemory } from "@assay/rules/backtest";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { accepted, HOUR_MS, RECEIVED_AT } from "./builders.ts";
import { type Ledger, openLedger } from "./open-ledger.ts";
import { about, tell } from "./telling.ts";

const DAY_MS = 24 * HOUR_MS;
const DEFINITION = "0123456789abcdef";
const PLAN = { names: ["login_failed"], pairs: ["login_failed/"] };

/** A submission, and what is told of it before the next one comes. */
const step = fc.record({
  // Some are judged after younger ones.
  afterMs: fc.oneof(
    fc.integer({ min: -2 * HOUR_MS, max: HOUR_MS }),
    fc.nat(1000),
    fc.constantFrom(0, HOUR_MS, HOUR_MS + DAY_MS),
  ),
  /** The event's clock beside ours. */
  aheadMs: fc.oneof(fc.integer({ min: -3 * HOUR_MS, max: 20_000 }), fc.constantFrom(0, 10_000, -HOUR_MS)),
  key: fc.constantFrom<string>("visitor1", "visitor2"),
  // Few, so that they come again.
  member: fc.constantFrom("a", "b", "c", "d", undefined),
  toldBeforeMs: fc.option(fc.nat(HOUR_MS)),
  /** How long ago the counters are that it is told, if it comes late: then it counts nothing. */
  asOfBeforeMs: fc.option(fc.nat(4 * HOUR_MS), { freq: 3 }),
});

type Step = typeof step extends fc.Arbitrary<infer Made> ? Made : never;

/** The value and the state of warming of each step, by the ledger and by the memory of a backtest. */
async function both(ledger: Ledger, steps: readonly Step[]) {
  const memory = new CounterMemory();
  const [theirs, ours]: [unknown[], unknown[]] = [[], []];
  let receivedAt = RECEIVED_AT;
  for (const { afterMs, aheadMs, key: name, asOfBeforeMs, toldBeforeMs, member: own } of steps) {
    const isLate = asOfBeforeMs !== null;
    const member = isLate ? undefined : own;
    receivedAt += afterMs;
    const place = { definition: DEFINITION, windowMs: HOUR_MS, key: name };
    const id = await accepted(ledger);
    const request: CounterRequest = {
      ...place,
      ...(member === undefined ? {} : { member }),
      plan: { ...place, member: member ?? id, ...PLAN },
    };
    const eventTime = receivedAt + (isLate ? -asOfBeforeMs : aheadMs);
    const times = { receivedAt, eventTime, ...(isLate ? { asOf: eventTime } : {}) };
    const [inputs] = await pinInputs(ledger.redis, ledger.keys, [{ id, ...times, counters: [request] }]);
    theirs.push(inputs?.counters[0]);
    ours.push(memory.ask(place, { ...times, member }));
    if (toldBeforeMs === null) continue;
    const occurredAt = receivedAt - toldBeforeMs;
    await tell(ledger, { about: about(id), outcome: "login_failed", occurred_at: occurredAt });
    memory.tell(place, member ?? id, occurredAt);
  }
  return { theirs, ours };
}

describe("the counters of a backtest", () => {
  test("say what those of the ledger say, whatever comes in whatever time", async () => {
    const ledger = await openLedger();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        run += 1;
        // Each run has counters of its own.
        const own = steps.map((one) => ({ ...one, key: `${one.key} of ${run}` }));
        await ledger.redis.del(ledger.keys.counterSince(DEFINITION));
        const { theirs, ours } = await both(ledger, own);
        expect(ours).toEqual(theirs);
      }),
      { numRuns: 60 },
    );
  });

  test("let the same members go beyond 1,000", async () => {
    const ledger = await openLedger();
    const place = { definition: DEFINITION, windowMs: HOUR_MS, key: "visitor1" };
    const memory = new CounterMemory();
    const ids = Array.from({ length: 1010 }, (_, n) => `event${n}`);
    // Backwards, and many at one time: whatever is the oldest by time, then by name, goes.
    const requests = ids.map((member, n) => ({
      id: `s_${member}`,
      receivedAt: RECEIVED_AT,
      eventTime: RECEIVED_AT - ((n * 7) % 100),
      counters: [{ ...place, member }],
    }));
    const theirs = await pinInputs(ledger.redis, ledger.keys, requests);
    const ours = requests.map(({ receivedAt, eventTime, counters: [counter] }) =>
      memory.ask(place, { receivedAt, eventTime, member: counter?.member }),
    );
    expect(ours).toEqual(theirs.map(({ counters }) => counters[0]));
    const windows = [99, 60, 1].map((agoMs) => ({ receivedAt: RECEIVED_AT - agoMs, eventTime: RECEIVED_AT - agoMs }));
    for (const [n, window] of windows.entries()) {
      const [inputs] = await pinInputs(ledger.redis, ledger.keys, [{ id: `s_look${n}`, ...window, counters: [place] }]);
      expect(memory.ask(place, window).value).toBe(inputs?.counters[0]?.value);
    }
  });

  test("let those go first that are first by name, of one time", async () => {
    const ledger = await openLedger();
    const place = { definition: DEFINITION, windowMs: HOUR_MS, key: "visitor1" };
    const memory = new CounterMemory();
    const names = Array.from({ length: 1003 }, (_, n) => `event${String((n * 7) % 1003).padStart(4, "0")}`);
    // Three go, of the 503 that are a moment older.
    const counted = names.map((member, n) => ({ member, receivedAt: RECEIVED_AT + (n < 503 ? 0 : 100) }));
    // Those that went count themselves once more, those that are still there do not.
    const again = names.toSorted().map((member) => ({ member, receivedAt: RECEIVED_AT }));
    const requests = [...counted, ...again].map(({ member, receivedAt }, n) => ({
      id: `s_${n}`,
      receivedAt,
      eventTime: RECEIVED_AT - 1 + (n < 503 ? 1 : n < 1003 ? 101 : 0),
      counters: [{ ...place, member }],
    }));
    const theirs = await pinInputs(ledger.redis, ledger.keys, requests);
    const ours = requests.map(({ receivedAt, eventTime, counters: [counter] }) =>
      memory.ask(place, { receivedAt, eventTime, member: counter?.member }),
    );
    expect(new Set(ours.slice(1003).map(({ value }) => value)).size).toBeGreaterThan(1);
    expect(ours).toEqual(theirs.map(({ counters }) => counters[0]));
  });
});
