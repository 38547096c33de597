import { queuePrefix } from "@assay/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { anEvent } from "../../support/events.ts";
import { error, type FingerprintApi, startFingerprintApi } from "../../support/fingerprint-api.ts";
import { openWorkerStack, type WorkerStack } from "../../support/worker-stack.ts";

let api: FingerprintApi;
let stack: WorkerStack;
beforeEach(async () => {
  api = await startFingerprintApi();
  stack = await openWorkerStack({
    env: { ASSAY_FINGERPRINT_API_KEYS: "secret-api-key", ASSAY_FINGERPRINT_API_URL: api.url },
  });
});
afterEach(async () => {
  await stack.stop();
  await api.stop();
});

describe("the lane of lookups", () => {
  test("stands still in every worker while one holds it", async () => {
    // As BullMQ's rateLimit leaves it.
    const hold = `${queuePrefix(stack.prefix)}:lookups:limiter`;
    await stack.redis.set(hold, Number.MAX_SAFE_INTEGER, "PX", 60_000);
    await stack.submitLookup(anEvent().event_id);
    await stack.runWorker();
    const startedAt = performance.now();
    await eventually(() => performance.now() - startedAt > 1000);
    expect(api.asked).toEqual([]);
  });

  test("is held when the vendor throttles", async () => {
    const event = anEvent();
    api.add(event);
    api.script(event.event_id, { status: 429, body: error("too_many_requests", "too many requests") });
    const id = await stack.submitLookup(event.event_id);
    await stack.runWorker();
    await eventually(async () => (await stack.redis.hget(stack.keys.record(id), "sw")) === "vendor_throttled");
    await eventually(async () => (await stack.redis.pttl(`${queuePrefix(stack.prefix)}:lookups:limiter`)) > 1000);
    const heldAt = performance.now();
    expect(await stack.verdict(id)).toMatchObject({ event_source: "lookup" });
    // Two seconds of hold, and one at most until an idle worker looks again.
    expect(performance.now() - heldAt).toBeLessThan(4000);
  });
});
