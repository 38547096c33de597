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

describe("a vendor that throttles", () => {
  test("is left alone for two seconds by a worker that did not hear it", async () => {
    const throttled = { status: 429, body: error("too_many_requests", "too many requests") };
    const lookUp = async () => {
      const { event_id } = anEvent();
      api.script(event_id, throttled, throttled);
      return await stack.submitLookup(event_id);
    };
    const first = await lookUp();
    const hearing = await stack.runWorker();
    await eventually(async () => (await stack.redis.hget(stack.keys.record(first), "sw")) === "vendor_throttled");
    await hearing.stop();
    await lookUp();
    await stack.runWorker();
    const startedAt = performance.now();
    await eventually(() => performance.now() - startedAt > 1000);
    expect(api.asked).toHaveLength(1);
  });
});
