import { createMetrics } from "@assay/host";
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

/** A lookup whose turn comes at once, by a vendor that takes this long to say that it cannot be reached. */
function aLookUp(vendorTakesMs: number, startsAt: number) {
  let now = startsAt;
  const metrics = createWorkerMetrics(createMetrics("worker"));
  const apiKeys: ApiKeys = {
    standings: () => [{ keyId: "00000000", restsForMs: 0, isFailing: false }],
    ask: () => {
      now += vendorTakesMs;
      return Promise.resolve({ status: "unavailable", reason: "timeout" });
    },
  };
  return createLookUp({
    now: () => now,
    metrics,
    apiKeys,
    timing: LOOKUP_TIMING,
    readEvent: () => ({ status: "undecided", code: "not_an_event" }),
    onRefused: () => undefined,
    sightings: { lookedUp: () => undefined },
    ledger: {
      readStored: () => Promise.resolve(undefined),
      inquire: () => Promise.resolve({ status: "ask" }),
      takeTurn: () => Promise.resolve({ status: "turn", keyId: "00000000" }),
      leaveLine: () => Promise.resolve(),
      holdBucket: () => Promise.resolve(),
      noteNotFound: () => Promise.resolve({ isFinal: false }),
      stopAsking: () => Promise.resolve(),
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
});
