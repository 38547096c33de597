import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { anEvent, anEventId } from "../../support/events.ts";
import { openWorkerStack, type WorkerStack } from "../../support/worker-stack.ts";

let stack: WorkerStack;
beforeEach(async () => {
  stack = await openWorkerStack();
});
afterEach(() => stack.stop());

describe("without an API key", () => {
  test("an event id is decided as soon as its webhook has come", async () => {
    await stack.runWorker();
    const event = anEvent();
    const id = await stack.submitLookup(event.event_id);
    await eventually(async () => (await stack.redis.hget(stack.keys.record(id), "sw")) === "event_not_received");
    const from = performance.now();
    await stack.submitWebhook(event);
    expect(await stack.verdict(id)).toMatchObject({ event_source: "stored", kind: "lookup" });
    expect(performance.now() - from).toBeLessThan(2000);
  });

  test("an event id whose webhook never comes is undecided by its time", async () => {
    await stack.runWorker({ lookupTiming: { decideWithinMs: 1500 } });
    expect(await stack.verdict(await stack.submitLookup(anEventId()))).toMatchObject({
      undecided: { code: "event_not_received" },
    });
  });

  test("nobody polls for the event", async () => {
    let activations = 0;
    await stack.runWorker({
      lookupTiming: { decideWithinMs: 5000 },
      aroundSource: (source) => (work, signal, options) => {
        activations++;
        return source(work, signal, options);
      },
    });
    await stack.verdict(await stack.submitLookup(anEventId()));
    expect(activations).toBeLessThanOrEqual(2);
  });

  test("a webhook that comes while its waiter is put to sleep is not missed", { timeout: 60_000 }, async () => {
    await stack.runWorker();
    for (let n = 0; n < 40; n++) {
      const event = anEvent();
      const [id] = await Promise.all([stack.submitLookup(event.event_id), stack.submitWebhook(event)]);
      expect(await stack.verdict(id, { timeoutMs: 3000 })).toMatchObject({ event_source: "stored" });
    }
  });
});
