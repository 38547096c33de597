import { queuePrefix } from "@assay/protocol";
import { Job, Queue } from "bullmq";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { anEvent, anEventId } from "../../support/events.ts";
import { error, type FingerprintApi } from "../../support/fingerprint-api.ts";
import { openVendorStack, type VendorStack } from "../../support/vendor-stack.ts";

const NOT_FOUND = { status: 404, body: error("event_not_found", "event id not found") };

let api: FingerprintApi;
let stack: VendorStack;
beforeEach(async () => {
  stack = await openVendorStack({ vendor: { rulesets: { rs_1: "allow" } } });
  ({ api } = stack);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await stack.stop();
});

describe("an event that many ask for", () => {
  test("is asked of the vendor once", async () => {
    await stack.runWorker();
    await stack.runWorker();
    const event = anEvent();
    api.add(event);
    const ids = await Promise.all(Array.from({ length: 20 }, () => stack.submitLookup(event.event_id)));
    const verdicts = await Promise.all(ids.map((id) => stack.verdict(id)));
    expect(new Set(verdicts.map(({ event_id }) => event_id))).toEqual(new Set([event.event_id]));
    expect(verdicts.filter(({ event_source }) => event_source === "lookup")).toHaveLength(1);
    expect(verdicts.filter(({ event_source }) => event_source === "stored")).toHaveLength(19);
    expect(api.asked).toEqual([event.event_id]);
  });

  test("and that the vendor does not know costs two lookups in all", async () => {
    await stack.runWorker();
    const eventId = anEventId();
    const ids = await Promise.all(Array.from({ length: 10 }, () => stack.submitLookup(eventId)));
    const verdicts = await Promise.all(ids.map((id) => stack.verdict(id)));
    expect(new Set(verdicts.map(({ undecided }) => undecided?.code))).toEqual(new Set(["event_not_found"]));
    expect(await stack.verdict(await stack.submitLookup(eventId))).toMatchObject({
      undecided: { code: "event_not_found" },
    });
    expect(api.asked).toEqual([eventId, eventId]);
  });

  test("is asked for by one that somebody waits for, though another was first", async () => {
    const event = anEvent();
    api.add(event);
    await stack.runWorker({ env: { ASSAY_FINGERPRINT_BURST: "1", ASSAY_FINGERPRINT_RPS: "1" } });
    const others = Array.from({ length: 12 }, () => anEvent());
    for (const other of others) api.add(other);
    await Promise.all(others.map(({ event_id }) => stack.submitLookup(event_id)));
    const patient = await stack.submitLookup(event.event_id);
    await eventually(async () => (await stack.redis.hget(stack.keys.record(patient), "sw")) === "lookup_rate");
    const awaited = await stack.submitLookup(event.event_id, { awaited: true });
    const verdict = await stack.verdict(awaited);
    expect(api.asked.length).toBeLessThan(6);
    expect(verdict).toMatchObject({ event_source: "lookup" });
    expect(await stack.verdict(patient)).toMatchObject({ event_source: "stored" });
  });

  test("is asked once though one that somebody waits for comes while it is asked", async () => {
    await stack.runWorker();
    const event = anEvent();
    api.add(event);
    api.misbehave({ kind: "hang" }, { eventId: event.event_id });
    const patient = await stack.submitLookup(event.event_id);
    await eventually(() => api.asked.length === 1);
    const awaited = await stack.submitLookup(event.event_id, { awaited: true });
    await eventually(async () => (await stack.redis.hget(stack.keys.record(awaited), "sw")) === "asked_already");
    expect(api.asked).toHaveLength(1);
    const verdicts = await Promise.all([stack.verdict(patient), stack.verdict(awaited)]);
    expect(verdicts.map(({ event_id }) => event_id)).toEqual([event.event_id, event.event_id]);
  });
});

describe("a lookup that waits", () => {
  test("is decided on the webhook that arrives meanwhile", async () => {
    await stack.runWorker({ env: { ASSAY_FINGERPRINT_BURST: "1", ASSAY_FINGERPRINT_RPS: "1" } });
    const others = Array.from({ length: 20 }, () => anEvent());
    for (const other of others) api.add(other);
    await Promise.all(others.map(({ event_id }) => stack.submitLookup(event_id)));
    const event = anEvent();
    const id = await stack.submitLookup(event.event_id);
    await eventually(async () => (await stack.redis.hget(stack.keys.record(id), "sw")) === "lookup_rate");
    await stack.submitWebhook(event);
    expect(await stack.verdict(id, { timeoutMs: 5000 })).toMatchObject({ event_source: "stored", kind: "lookup" });
    expect(api.asked).not.toContain(event.event_id);
  });

  test("between two tries for an unknown event is decided on the webhook", async () => {
    await stack.runWorker();
    const event = anEvent();
    api.script(event.event_id, NOT_FOUND);
    const id = await stack.submitLookup(event.event_id);
    await eventually(async () => (await stack.redis.hget(stack.keys.record(id), "sw")) === "event_not_found");
    await stack.submitWebhook(event);
    expect(await stack.verdict(id, { timeoutMs: 2000 })).toMatchObject({ event_source: "stored" });
  });

  test("is woken by an event that comes in the moment before it sleeps", async () => {
    const event = anEvent();
    vi.spyOn(Job.prototype, "moveToDelayed").mockImplementationOnce(async function (this: Job, ...when) {
      await stack.producer.bring(event.event_id, JSON.stringify(event));
      return this.moveToDelayed(...when);
    });
    await stack.runWorker({ env: { ASSAY_FINGERPRINT_API_KEYS: "" } });
    const id = await stack.submitLookup(event.event_id);
    expect(await stack.verdict(id, { timeoutMs: 5000 })).toMatchObject({ event_source: "stored" });
  });

  test("goes on when the one that asks gives up", async () => {
    await stack.runWorker({ env: { ASSAY_FINGERPRINT_RULESET_ID: "rs_1" } });
    const event = anEvent();
    api.add(event);
    api.script(event.event_id, { status: 400, body: error("ruleset_not_found", "ruleset not found") });
    const ids = await Promise.all([stack.submitLookup(event.event_id), stack.submitLookup(event.event_id)]);
    const verdicts = await Promise.all(ids.map((id) => stack.verdict(id)));
    const codes = verdicts.map(({ undecided, event_source }) => undecided?.code ?? event_source);
    expect(new Set(codes)).toEqual(new Set(["lookup", "lookup_refused"]));
  });

  test("has one doorbell, and none once it is decided on what was brought", async () => {
    await stack.runWorker();
    const event = anEvent();
    api.script(event.event_id, NOT_FOUND);
    const id = await stack.submitLookup(event.event_id);
    await eventually(async () => (await stack.redis.hget(stack.keys.record(id), "sw")) === "event_not_found");
    await stack.submitWebhook(event);
    await stack.verdict(id);
    const queue = new Queue("lookups", { connection: stack.redis, prefix: queuePrefix(stack.prefix) });
    const count = () => queue.getJobCountByTypes("delayed", "prioritized", "waiting", "active");
    await eventually(async () => (await count()) === 0);
    expect(await count()).toBe(0);
    await queue.close();
  });
});

describe("a worker that is killed while the vendor is asked", () => {
  test("makes no suspect of its lookups", { timeout: 90_000 }, async () => {
    const event = anEvent();
    api.add(event);
    api.misbehave({ kind: "hang" }, { eventId: event.event_id });
    const worker = await stack.startWorker();
    const id = await stack.submitLookup(event.event_id);
    await eventually(() => api.asked.length === 1);
    await worker.kill("SIGKILL");
    expect(await stack.redis.hget(stack.keys.record(id), "t")).toBe("0");
    await stack.startWorker();
    expect(await stack.verdict(id, { timeoutMs: 60_000 })).toMatchObject({ event_source: "lookup" });
    expect(await stack.redis.hget(stack.keys.record(id), "t")).toBe("1");
  });
});

describe("a seal that no key opens", () => {
  test("becomes a lookup when an event id came with it", async () => {
    await stack.runWorker({ env: { ASSAY_SEALED_KEYS: Buffer.alloc(32, 7).toString("base64") } });
    const event = anEvent();
    api.add(event);
    const verdict = await stack.verdict(await stack.submitSealed(event, { eventId: event.event_id }));
    expect(verdict).toMatchObject({ kind: "sealed", event_source: "lookup", degraded: ["seal_did_not_open"] });
    expect(verdict.action).toBe("allow");
  });

  test("stays one without an event id", async () => {
    await stack.runWorker({ env: { ASSAY_SEALED_KEYS: Buffer.alloc(32, 7).toString("base64") } });
    expect(await stack.verdict(await stack.submitSealed(anEvent()))).toMatchObject({
      undecided: { code: "no_key_opens" },
    });
    expect(api.asked).toEqual([]);
  });
});

describe("a decision in hand", () => {
  test("is published though it comes late, and says so", async () => {
    await stack.runWorker({
      lookupTiming: { decideWithinMs: 500 },
      aroundSource: (source) => async (work, signal, options) => {
        const sourced = await source(work, signal, options);
        await eventually(() => Date.now() > work.receivedAt + 600);
        return sourced;
      },
    });
    const event = anEvent();
    api.add(event);
    expect(await stack.verdict(await stack.submitLookup(event.event_id))).toMatchObject({
      event_source: "lookup",
      late: true,
    });
  });
});
