import type { Misbehaviour } from "@assay/fingerprint/stand-in";
import { queuePrefix } from "@assay/protocol";
import { Queue } from "bullmq";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { anAddress, anEvent } from "../../support/events.ts";
import { type FingerprintApi } from "../../support/fingerprint-api.ts";
import { openVendorStack, type VendorStack } from "../../support/vendor-stack.ts";

// A twentieth of the usual times, so that ten minutes of outage are half a minute.
const TIMING = {
  decideWithinMs: 3000,
  timeoutMs: 600,
  notFoundDelayMs: 300,
  retryDelayMs: 200,
  throttledMs: 300,
  probeAfterMs: 500,
};

let api: FingerprintApi;
let stack: VendorStack;
beforeEach(async () => {
  stack = await openVendorStack({ env: { ASSAY_FINGERPRINT_RPS: "20", ASSAY_FINGERPRINT_BURST: "20" } });
  ({ api } = stack);
});
afterEach(() => stack.stop());

/** Submits lookups of events that the vendor knows, and sealed results beside them. */
async function submitBoth(count: number) {
  const events = Array.from({ length: count }, () => anEvent());
  for (const event of events) api.add(event);
  const lookups = events.map(({ event_id }) => stack.submitLookup(event_id, { context: { ip: anAddress() } }));
  const sealed = Array.from({ length: count }, () => stack.submitSealed(anEvent()));
  return { lookups: await Promise.all(lookups), sealed: await Promise.all(sealed) };
}

/** What each of these ended in: where its event came from, or why there is none. */
async function endsOf(ids: readonly string[]): Promise<string[]> {
  const verdicts = await Promise.all(ids.map((id) => stack.verdict(id)));
  return verdicts.map(({ undecided, event_source }) => undecided?.code ?? event_source ?? "none");
}

const ALWAYS: readonly [string, Misbehaviour, string][] = [
  ["throttles as JSON", { kind: "throttled", as: "json" }, "lookup_saturated"],
  ["throttles as HTML", { kind: "throttled", as: "html" }, "lookup_saturated"],
  ["throttles inside a 200, as v3 does", { kind: "v3_throttled" }, "lookup_saturated"],
  ["answers 500", { kind: "failing", status: 500 }, "lookup_unavailable"],
  ["answers 503", { kind: "failing", status: 503 }, "lookup_unavailable"],
  ["sends its answer byte by byte", { kind: "slow_loris" }, "lookup_unavailable"],
  ["never answers", { kind: "hang" }, "lookup_unavailable"],
  ["resets in mid-body", { kind: "reset" }, "lookup_unavailable"],
  ["truncates its JSON", { kind: "truncated" }, "lookup_unavailable"],
  ["sends 10 MB", { kind: "huge" }, "lookup_unavailable"],
  ["sends no event", { kind: "wrong_schema", as: "not_an_event" }, "lookup_unavailable"],
];

describe("a vendor that always", () => {
  test.each(ALWAYS)(
    "%s leaves lookups undecided by their time, and other lanes alone",
    async (_, misbehaviour, code) => {
      await stack.runWorker({ lookupTiming: TIMING });
      api.misbehave(misbehaviour, { times: Number.POSITIVE_INFINITY });
      const from = performance.now();
      const { lookups, sealed } = await submitBoth(10);
      expect(await endsOf(sealed)).toEqual(sealed.map(() => "sealed"));
      const sealedMs = performance.now() - from;
      const ends = new Set(await endsOf(lookups));
      const lookupsMs = performance.now() - from;
      // What is throttled for long enough opens the circuit, too.
      expect([...ends].every((end) => end === code || end === "lookup_unavailable")).toBe(true);
      expect(sealedMs).toBeLessThan(lookupsMs);
      expect(lookupsMs).toBeLessThan(TIMING.decideWithinMs + 2000);
      expect(api.calls.length).toBeLessThanOrEqual(20 + (20 * lookupsMs) / 1000);
      expect(await stack.redis.exists(stack.keys.deadLetters("input"))).toBe(0);
    },
  );

  test("sends values of wrong types is believed in the rest", async () => {
    await stack.runWorker({ lookupTiming: TIMING });
    api.misbehave({ kind: "wrong_schema", as: "wrong_types" }, { times: Number.POSITIVE_INFINITY });
    const { lookups } = await submitBoth(2);
    expect(await endsOf(lookups)).toEqual(["lookup", "lookup"]);
  });
});

describe("a vendor that once", () => {
  const ONCE = [...ALWAYS, ["does not know the event yet", { kind: "not_found" }, ""] as const];

  test.each(ONCE)("%s decides the lookup all the same", async (_, misbehaviour) => {
    await stack.runWorker({ lookupTiming: TIMING });
    const event = anEvent();
    api.add(event);
    api.misbehave(misbehaviour, { eventId: event.event_id });
    expect(await endsOf([await stack.submitLookup(event.event_id)])).toEqual(["lookup"]);
    expect(api.asked).toEqual([event.event_id, event.event_id]);
  });
});

describe("a vendor that changes its mind", () => {
  test("tells all that ask for one event the same", async () => {
    await stack.runWorker({ lookupTiming: TIMING });
    await stack.runWorker({ lookupTiming: TIMING });
    const event = anEvent();
    api.add(event);
    api.misbehave({ kind: "flip_flop", with: "another_visitor" }, { times: Number.POSITIVE_INFINITY });
    const ids = await Promise.all(Array.from({ length: 10 }, () => stack.submitLookup(event.event_id)));
    const verdicts = await Promise.all(ids.map((id) => stack.verdict(id)));
    expect(new Set(verdicts.map(({ visitor_id }) => visitor_id)).size).toBe(1);
    expect(new Set((await stack.published()).map(({ id }) => id)).size).toBe(10);
    expect(await stack.published()).toHaveLength(10);
  });
});

describe("ten minutes of outage, at twenty times the pace", () => {
  const OUTAGE_MS = 30_000;

  test(
    "end each lookup by its time, flood nothing, and are over at the rate of the key",
    { timeout: 120_000 },
    async () => {
      await Promise.all([stack.runWorker({ lookupTiming: TIMING }), stack.runWorker({ lookupTiming: TIMING })]);
      api.misbehave({ kind: "hang" }, { times: Number.POSITIVE_INFINITY });
      const startedAt = performance.now();
      const during: Promise<{ readonly end: string; readonly tookMs: number }>[] = [];
      const submitOne = async () => {
        const event = anEvent();
        api.add(event);
        const from = performance.now();
        const id = await stack.submitLookup(event.event_id, { context: { ip: anAddress() } });
        const [end = ""] = await endsOf([id]);
        return { end, tookMs: performance.now() - from };
      };
      while (performance.now() - startedAt < OUTAGE_MS) {
        during.push(submitOne());
        const next = performance.now() + 150;
        await eventually(() => performance.now() > next);
      }
      const ended = await Promise.all(during);
      const askedDuring = api.calls.length;
      expect(new Set(ended.map(({ end }) => end))).toEqual(new Set(["lookup_unavailable"]));
      expect(Math.max(...ended.map(({ tookMs }) => tookMs))).toBeLessThan(TIMING.decideWithinMs + 2000);
      // Two workers: what was under way when their circuits opened, and a probe each time that one has rested and waited.
      expect(askedDuring).toBeLessThan(2 * (5 + 32) + 2 * (OUTAGE_MS / (TIMING.probeAfterMs + TIMING.timeoutMs) + 5));

      const queue = new Queue("lookups", { connection: stack.redis, prefix: queuePrefix(stack.prefix) });
      expect(await queue.getJobCountByTypes("failed")).toBe(0);
      await queue.close();
      expect(await stack.redis.exists(stack.keys.deadLetters("input"))).toBe(0);

      api.behave();
      const after = await Promise.all(Array.from({ length: 40 }, submitOne));
      expect(new Set(after.map(({ end }) => end))).toEqual(new Set(["lookup"]));
      const times = api.calls.slice(askedDuring).map(({ at }) => at);
      const busiest = Math.max(...times.map((at) => times.filter((other) => other >= at && other < at + 1000).length));
      // One for a request that was on its way when the second began.
      expect(busiest).toBeLessThanOrEqual(20 + 20 + 1);
    },
  );
});
