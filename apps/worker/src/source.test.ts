import { createMetrics } from "@assay/host";
import { describe, expect, test } from "vitest";
import { createWorkerMetrics } from "./metrics.ts";
import { createSource } from "./source.ts";

const RECEIVED_AT = 1_795_000_000_000;
const work = {
  id: `s_${"a".repeat(26)}`,
  meta: { kind: "lookup", event_id: `${RECEIVED_AT}.abcdef` },
  receivedAt: RECEIVED_AT,
  tries: 1,
  retries: 0,
} as const;

/** A source whose vendor takes this long to say that it cannot be reached. */
function aSource(vendorTakesMs: number, startsAt: number) {
  let now = startsAt;
  return createSource({
    now: () => now,
    metrics: createWorkerMetrics(createMetrics("worker")),
    takeLookup: () => Promise.resolve(0),
    readStored: () => Promise.resolve(undefined),
    store: () => Promise.resolve(),
    onRefused: () => undefined,
    lookups: {
      lookup: () => {
        now += vendorTakesMs;
        return Promise.resolve({ status: "unavailable", reason: "timeout" });
      },
    },
  });
}

describe("createSource", () => {
  const { signal } = new AbortController();

  test("pauses from when the vendor gave up, not from when it was asked", async () => {
    const sourced = await aSource(5000, RECEIVED_AT)(work, signal);
    expect(sourced).toMatchObject({ status: "wait", until: RECEIVED_AT + 7000, spendsRetry: true });
  });

  test("leaves a lookup undecided that could only go on after its time", async () => {
    const sourced = await aSource(5000, RECEIVED_AT + 54_000)(work, signal);
    expect(sourced).toEqual({ status: "undecided", code: "lookup_unavailable" });
  });
});
