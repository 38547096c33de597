import type { LookupOutcome } from "@assay/fingerprint";
import { createMetrics } from "@assay/host";
import { anEvent } from "@assay/fingerprint/stand-in";
import { describe, expect, test } from "vitest";
import type { ApiKeys } from "./api-keys.ts";
import { createLookUp } from "./look-up.ts";
import { LOOKUP_TIMING } from "./lookup-timing.ts";
import { createWorkerMetrics } from "./metrics.ts";

const RECEIVED_AT = 1_795_000_000_000;
const work = {
  id: `s_${"a".repeat(26)}`,
  meta: { kind: "lookup", event_id: `${RECEIVED_AT}.abcdef` },
  receivedAt: RECEIVED_AT,
  tries: 1,
  retries: 0,
} as const;

const TIMEOUT: LookupOutcome = { status: "unavailable", reason: "timeout" };

/** A lookup whose turn comes at once, by a vendor that takes this long to answer: without one it cannot be reached. */
function aLookUp(vendorTakesMs: number, startsAt: number, { outcome = TIMEOUT, isBrought = false } = {}) {
  let now = startsAt;
  const metrics = createWorkerMetrics(createMetrics("worker"));
  const apiKeys: ApiKeys = {
    standings: () => [{ keyId: "00000000", restsForMs: 0, isFailing: false }],
    ask: () => {
      now += vendorTakesMs;
      return Promise.resolve(outcome);
    },
  };
  return createLookUp({
    now: () => now,
    metrics,
    apiKeys,
    timing: LOOKUP_TIMING,
    readEvent: (_, source) => ({ status: "event", event: anEvent(), source }),
    onRefused: () => undefined,
    sightings: { lookedUp: () => undefined },
    ledger: {
      // Only once the vendor was asked.
      readStored: () => Promise.resolve(isBrought && now > startsAt ? "{}" : undefined),
      inquire: () => Promise.resolve({ status: "ask" }),
      takeTurn: () => Promise.resolve({ status: "turn", keyId: "00000000" }),
      leaveLine: () => Promise.resolve(),
      holdBucket: () => Promise.resolve(),
      noteNotFound: () => Promise.resolve({ isFinal: true }),
      stopAsking: () => Promise.resolve(),
      startAsking: () => Promise.resolve(true),
      pauseTry: () => Promise.resolve(),
      resumeTry: () => Promise.resolve(),
      takesWebhooks: () => Promise.resolve(false),
    },
  });
}

describe("createLookUp", () => {
  const { signal } = new AbortController();

  test("pauses from when the vendor gave up, not from when it was asked", async () => {
    const sourced = await aLookUp(5000, RECEIVED_AT)(work, signal);
    expect(sourced).toMatchObject({ status: "wait", until: RECEIVED_AT + 7000, spendsRetry: true });
  });

  test("leaves a lookup undecided that could only go on after its time", async () => {
    const sourced = await aLookUp(5000, RECEIVED_AT + 54_000)(work, signal);
    expect(sourced).toEqual({ status: "undecided", code: "lookup_unavailable" });
  });

  test.each<LookupOutcome>([
    TIMEOUT,
    { status: "not_found" },
    { status: "refused", setting: "ruleset", code: "ruleset_not_found" },
  ])("takes the event that a webhook brought while the vendor was asked, whatever it says: %o", async (outcome) => {
    const sourced = await aLookUp(5000, RECEIVED_AT + 54_000, { outcome, isBrought: true })(work, signal);
    expect(sourced).toMatchObject({ status: "event", source: "stored" });
  });

  test.each([
    ["ahead of", 30_000],
    ["behind", -30_000],
  ])("ends a lookup by its time though the worker's clock is %s Redis's", async (_, skewMs) => {
    const loaded = { ...work, loadedAt: RECEIVED_AT + 54_000 };
    const sourced = await aLookUp(5000, RECEIVED_AT + 54_000 + skewMs)(loaded, signal);
    expect(sourced).toEqual({ status: "undecided", code: "lookup_unavailable" });
    const early = { ...work, loadedAt: RECEIVED_AT + 1000 };
    const waits = await aLookUp(0, RECEIVED_AT + 1000 + skewMs)(early, signal);
    expect(waits).toMatchObject({ status: "wait", until: RECEIVED_AT + 1000 + skewMs + 2000 });
  });
});
