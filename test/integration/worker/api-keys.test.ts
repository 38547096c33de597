import { tellAbility } from "@assay/ledger";
import { secretFingerprint } from "@assay/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { anEvent, anEventId } from "../../support/events.ts";
import { error, type FingerprintApi } from "../../support/fingerprint-api.ts";
import { openVendorStack, type VendorStack } from "../../support/vendor-stack.ts";

const FOR_EVER = { times: Number.POSITIVE_INFINITY };
const THROTTLED = { status: 429, body: error("too_many_requests", "too many requests") };

let api: FingerprintApi;
let stack: VendorStack;
beforeEach(async () => {
  stack = await openVendorStack({ vendor: { apiKeys: ["secret-api-key", "good-key"] } });
  ({ api } = stack);
});
afterEach(() => stack.stop());

describe("an API key", () => {
  test("that is throttled is left alone for a while", async () => {
    const event = anEvent();
    api.add(event);
    api.script(event.event_id, THROTTLED);
    const id = await stack.submitLookup(event.event_id);
    await stack.runWorker();
    expect(await stack.verdict(id)).toMatchObject({ event_source: "lookup" });
    const [first = 0, second = 0] = api.calls.map(({ at }) => at);
    expect(second - first).toBeGreaterThan(1900);
  });

  test("that is refused is not used, the next one is, and one line of the log says so", async () => {
    const worker = await stack.startWorker({ env: { ASSAY_FINGERPRINT_API_KEYS: "refused-key,good-key" } });
    const events = Array.from({ length: 6 }, () => anEvent());
    for (const event of events) api.add(event);
    for (const { event_id } of events) {
      expect(await stack.verdict(await stack.submitLookup(event_id))).toMatchObject({ event_source: "lookup" });
    }
    const refused = secretFingerprint("refused-key");
    expect(api.calls.filter(({ keyId }) => keyId === refused)).toHaveLength(1);
    expect(worker.output.filter((line) => line.includes("Fingerprint refuses an API key"))).toHaveLength(1);
    expect(worker.output.join("")).not.toContain("refused-key");
  });

  test("that is refused leaves its lookups to a webhook, where one may come", async () => {
    api.misbehave({ kind: "forbidden", code: "subscription_not_active" }, FOR_EVER);
    await stack.runWorker();
    const event = anEvent();
    const id = await stack.submitLookup(event.event_id);
    await eventually(async () => (await stack.redis.hget(stack.keys.record(id), "sw")) === "lookup_refused");
    await stack.submitWebhook(event);
    expect(await stack.verdict(id)).toMatchObject({ event_source: "stored" });
  });

  test("that was refused is used again once it works", async () => {
    await tellAbility(stack.redis, stack.prefix, "0", "webhooks", false);
    api.misbehave({ kind: "forbidden", code: "subscription_not_active" }, FOR_EVER);
    await stack.runWorker({ lookupTiming: { refusedMs: 500 } });
    const [first, second] = [anEvent(), anEvent()];
    for (const event of [first, second]) api.add(event);
    expect(await stack.verdict(await stack.submitLookup(first.event_id))).toMatchObject({
      undecided: { code: "lookup_refused" },
    });
    api.behave();
    const mendedAt = performance.now();
    await eventually(() => performance.now() - mendedAt > 600);
    expect(await stack.verdict(await stack.submitLookup(second.event_id))).toMatchObject({ event_source: "lookup" });
  });

  test("whose lookups fail in a row is only probed, and used again when a probe is answered", async () => {
    const timing = { decideWithinMs: 20_000, probeAfterMs: 1500, retryDelayMs: 300 };
    await stack.runWorker({ lookupTiming: timing });
    api.misbehave({ kind: "failing", status: 500 }, FOR_EVER);
    const events = Array.from({ length: 8 }, () => anEvent());
    for (const event of events) api.add(event);
    const ids = await Promise.all(events.map(({ event_id }) => stack.submitLookup(event_id)));
    await eventually(
      async () => (await stack.redis.hget(stack.keys.record(ids[0] ?? ""), "sw")) === "vendor_unavailable",
    );
    const brokenAt = performance.now();
    await eventually(() => performance.now() - brokenAt > 4000);
    // Those that were under way when the fifth failed, and one probe in each second and a half.
    expect(api.asked.length).toBeLessThanOrEqual(8 + 8 + 4);
    api.behave();
    const verdicts = await Promise.all(ids.map((id) => stack.verdict(id)));
    expect(verdicts.map(({ event_source }) => event_source)).toEqual(events.map(() => "lookup"));
  });

  test("that never works leaves its lookups unavailable, in time and with no dead letter", async () => {
    await stack.runWorker({ lookupTiming: { decideWithinMs: 4000, retryDelayMs: 300, probeAfterMs: 1000 } });
    api.misbehave({ kind: "failing", status: 500 }, FOR_EVER);
    const from = performance.now();
    const ids = await Promise.all(Array.from({ length: 10 }, () => stack.submitLookup(anEventId())));
    const verdicts = await Promise.all(ids.map((id) => stack.verdict(id)));
    expect(new Set(verdicts.map(({ undecided }) => undecided?.code))).toEqual(new Set(["lookup_unavailable"]));
    expect(performance.now() - from).toBeLessThan(6000);
    expect(await stack.redis.exists(stack.keys.deadLetters("input"))).toBe(0);
  });
});
