import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { anAddress, anEvent, anEventId } from "../../support/events.ts";
import { type FingerprintApi } from "../../support/fingerprint-api.ts";
import { openVendorStack, type VendorStack } from "../../support/vendor-stack.ts";

let api: FingerprintApi;
let stack: VendorStack;
beforeEach(async () => {
  stack = await openVendorStack();
  ({ api } = stack);
});
afterEach(() => stack.stop());

describe("the bucket", () => {
  test("ends at once what it cannot serve in time", async () => {
    await stack.runWorker({
      env: { ASSAY_FINGERPRINT_BURST: "1", ASSAY_FINGERPRINT_RPS: "1" },
      lookupTiming: { decideWithinMs: 8000 },
    });
    const from = performance.now();
    const events = Array.from({ length: 40 }, () => anEvent());
    for (const event of events) api.add(event);
    const ids = await Promise.all(events.map(({ event_id }) => stack.submitLookup(event_id)));
    const verdicts = await Promise.all(
      ids.map(async (id) => ({ verdict: await stack.verdict(id), afterMs: performance.now() - from })),
    );
    const saturated = verdicts.filter(({ verdict }) => verdict.undecided?.code === "lookup_saturated");
    // One or another that had a place may come too late for it after all.
    expect(saturated.filter(({ afterMs }) => afterMs < 5000).length).toBeGreaterThanOrEqual(30);
    expect(verdicts.length - saturated.length).toBe(api.asked.length);
  });

  test(
    "is used by eight workers without ever going beyond its rate, and without busy waiting",
    { timeout: 60_000 },
    async () => {
      let activations = 0;
      const workers = Array.from({ length: 8 }, () =>
        stack.runWorker({
          env: { ASSAY_FINGERPRINT_BURST: "10", ASSAY_FINGERPRINT_RPS: "10" },
          aroundSource: (source) => (work, signal, options) => {
            activations++;
            return source(work, signal, options);
          },
        }),
      );
      await Promise.all(workers);
      const events = Array.from({ length: 100 }, () => anEvent());
      for (const event of events) api.add(event);
      const ids = await Promise.all(
        events.map(({ event_id }, n) =>
          stack.submitLookup(event_id, { awaited: n % 10 === 0, context: { ip: anAddress() } }),
        ),
      );
      const verdicts = await Promise.all(ids.map((id) => stack.verdict(id, { timeoutMs: 40_000 })));
      expect(verdicts.every(({ event_source }) => event_source === "lookup")).toBe(true);
      expect(api.asked).toHaveLength(100);
      const times = api.calls.map(({ at }) => at);
      const busiest = Math.max(...times.map((at) => times.filter((other) => other >= at && other < at + 1000).length));
      // One more for a request that was on its way when the second began.
      expect(busiest).toBeLessThanOrEqual(10 + 10 + 1);
      expect(activations / api.asked.length).toBeLessThanOrEqual(3);
    },
  );

  test("serves what somebody waits for first", async () => {
    await stack.runWorker({ env: { ASSAY_FINGERPRINT_BURST: "1", ASSAY_FINGERPRINT_RPS: "2" } });
    const others = Array.from({ length: 20 }, () => anEvent());
    const awaited = Array.from({ length: 3 }, () => anEvent());
    for (const event of [...others, ...awaited]) api.add(event);
    await Promise.all(others.map(({ event_id }) => stack.submitLookup(event_id)));
    await eventually(async () => (await stack.redis.zcard(stack.keys.otherLookups())) === 19);
    const before = api.asked.length;
    const ids = await Promise.all(awaited.map(({ event_id }) => stack.submitLookup(event_id, { awaited: true })));
    await Promise.all(ids.map((id) => stack.verdict(id)));
    // Others whose turn came while these were handed in.
    expect(api.asked.slice(before).filter((id) => others.some(({ event_id }) => event_id === id)).length).toBeLessThan(
      4,
    );
  });

  test("is not starved by forged ids", { timeout: 60_000 }, async () => {
    await stack.runWorker({ env: { ASSAY_FINGERPRINT_BURST: "5", ASSAY_FINGERPRINT_RPS: "5" } });
    const forger = "198.51.100.66";
    const forged = Array.from({ length: 400 }, () => stack.submitLookup(anEventId(), { context: { ip: forger } }));
    await Promise.all(forged);
    const customers = Array.from({ length: 10 }, (_, n) => ({ event: anEvent(), ip: `203.0.113.${n + 1}` }));
    for (const { event } of customers) api.add(event);
    const from = performance.now();
    const verdicts = await Promise.all(
      customers.map(async ({ event, ip }) =>
        stack.verdict(await stack.submitLookup(event.event_id, { context: { ip } })),
      ),
    );
    expect(verdicts.map(({ event_source }) => event_source)).toEqual(customers.map(() => "lookup"));
    expect(performance.now() - from).toBeLessThan(15_000);
  });
});
