import { signWebhook } from "@assay/fingerprint";
import type { Event } from "@assay/protocol";
import { afterEach, describe, expect, inject, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { anEvent, anEventId } from "../support/events.ts";
import { openWorkerStack, type WorkerStack } from "../support/worker-stack.ts";
import { aProblem, type OpenIngress, startIngress, WEBHOOK_SECRETS } from "./ingress/open-ingress.ts";

const closes: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closes.splice(0).toReversed()) await close();
});

/** An installation without an API key: a worker and an ingress. */
async function open(env: Record<string, string> = {}): Promise<{ stack: WorkerStack; door: OpenIngress }> {
  const stack = await openWorkerStack();
  closes.push(() => stack.stop());
  await stack.runWorker();
  const door = await startIngress(inject("redisUrl"), { ASSAY_PREFIX: stack.prefix, ...env });
  closes.push(() => door.close());
  return { stack, door };
}

function deliver(door: OpenIngress, event: Event) {
  const body = JSON.stringify(event);
  const signature = signWebhook(body, WEBHOOK_SECRETS[0]);
  return door.request("/v1/webhooks/fingerprint", {
    method: "POST",
    headers: { "content-type": "application/json", "fpjs-event-signature": signature },
    body,
  });
}

describe("an event id without an API key", () => {
  test("is answered in one call, with the webhook that comes meanwhile", async () => {
    const { stack, door } = await open();
    const event = anEvent();
    const answer = door.submit({ event_id: event.event_id, context: { flow: "login" } }, { wait: 10 });
    await eventually(async () => (await stack.redis.exists(stack.keys.waiters(event.event_id))) === 1);
    const from = performance.now();
    await deliver(door, event);
    expect(await answer).toMatchObject({
      status: 200,
      json: { kind: "lookup", event_source: "stored", event_id: event.event_id },
    });
    expect(performance.now() - from).toBeLessThan(2000);
  });

  test("is decided on a webhook that came before", async () => {
    const { stack, door } = await open();
    const event = anEvent();
    await deliver(door, event);
    await eventually(async () => (await stack.redis.exists(stack.keys.storedEvent(event.event_id))) === 1);
    const answer = await door.submit({ event_id: event.event_id }, { wait: 10 });
    expect(answer).toMatchObject({ status: 200, json: { event_source: "stored" } });
  });

  test("does not wait for the worker to come to the webhook itself", async () => {
    const stack = await openWorkerStack();
    closes.push(() => stack.stop());
    const door = await startIngress(inject("redisUrl"), { ASSAY_PREFIX: stack.prefix });
    closes.push(() => door.close());
    const event = anEvent();
    const id = await stack.submitLookup(event.event_id);
    await stack.redis.zadd(stack.keys.waiters(event.event_id), Date.now() + 60_000, id);
    await deliver(door, event);
    expect(await stack.redis.exists(stack.keys.storedEvent(event.event_id))).toBe(1);
    expect(await stack.redis.exists(stack.keys.waiters(event.event_id))).toBe(0);
  });

  test("is refused where no webhook is taken either, and says what to configure", async () => {
    const { door } = await open({ ASSAY_WEBHOOK_SECRETS: "" });
    const answer = await door.submit({ event_id: anEventId() });
    expect(answer).toEqual(aProblem(400, "lookups_not_configured", { field: "event_id", retryable: false }));
    expect(answer.text).toContain("ASSAY_FINGERPRINT_API_KEYS");
    // Redis is in no trouble, and the alert that looks at this says so.
    expect((await door.admin("/metrics")).text).not.toContain('outcome="unconfirmed"');
  });
});

describe("with ASSAY_WEBHOOK_VERDICTS=none", () => {
  test("a webhook brings its event and gets no verdict", async () => {
    const { stack, door } = await open({ ASSAY_WEBHOOK_VERDICTS: "none" });
    const event = anEvent();
    const first = await deliver(door, event);
    expect(first).toMatchObject({ status: 202, json: { status: "accepted", durability: "local" } });
    expect(first.headers.has("location")).toBe(false);
    expect(await deliver(door, event)).toMatchObject({ status: 202, json: { status: "duplicate" } });
    const answer = await door.submit({ event_id: event.event_id }, { wait: 10 });
    expect(answer).toMatchObject({ status: 200, json: { event_source: "stored", event_id: event.event_id } });
    expect((await stack.published()).map(({ kind }) => kind)).toEqual(["lookup"]);
  });

  test("a webhook wakes whoever waits for its event", async () => {
    const { stack, door } = await open({ ASSAY_WEBHOOK_VERDICTS: "none" });
    const event = anEvent();
    const answer = door.submit({ event_id: event.event_id }, { wait: 10 });
    await eventually(async () => (await stack.redis.exists(stack.keys.waiters(event.event_id))) === 1);
    await deliver(door, event);
    expect(await answer).toMatchObject({ status: 200, json: { event_source: "stored" } });
  });

  test("a webhook that cannot be kept is answered with 503, so that Fingerprint sends it again", async () => {
    const { stack, door } = await open({ ASSAY_WEBHOOK_VERDICTS: "none" });
    const event = anEvent();
    // A key of the wrong kind makes the script fail, as a Redis would that cannot write.
    await stack.redis.lpush(stack.keys.waiters(event.event_id), "not a zset");
    expect(await deliver(door, event)).toEqual(aProblem(503, "unavailable"));
  });
});
