import { seal, signWebhook } from "@assay/fingerprint";
import { isRecord } from "@assay/protocol";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { aBot, anEvent } from "../support/events.ts";
import { type FingerprintApi, startFingerprintApi } from "../support/fingerprint-api.ts";
import { openWorkerStack, type WorkerStack } from "../support/worker-stack.ts";
import { type OpenIngress, startIngress, WEBHOOK_SECRETS } from "./ingress/open-ingress.ts";

let stack: WorkerStack;
let door: OpenIngress;
let api: FingerprintApi;

beforeEach(async () => {
  api = await startFingerprintApi();
  stack = await openWorkerStack({ env: { ASSAY_FINGERPRINT_API_KEYS: "key", ASSAY_FINGERPRINT_API_URL: api.url } });
  door = await startIngress(inject("redisUrl"), { ASSAY_PREFIX: stack.prefix });
});
afterEach(async () => {
  await door.close();
  await stack.stop();
  await api.stop();
});

function sealed(event = anEvent()): { sealed_result: string } {
  return { sealed_result: Buffer.from(seal(event, stack.sealedKey)).toString("base64") };
}

describe("every door leads to a verdict", () => {
  beforeEach(() => stack.runWorker());

  test("a sealed result, in one call", async () => {
    const event = aBot();
    const { status, json } = await door.submit({ ...sealed(event), context: { flow: "login" } }, { wait: 10 });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      schema: "assay.verdict/1",
      kind: "sealed",
      action: "block",
      event_id: event.event_id,
      context: { flow: "login" },
      reasons: [{ rule: "bad_bot", evidence: { bot: "bad" } }],
    });
  });

  test("an event id, in one call", async () => {
    const event = anEvent();
    api.add(event);
    const { status, json } = await door.submit({ event_id: event.event_id }, { wait: 10 });
    expect(status).toBe(200);
    expect(json).toMatchObject({ kind: "lookup", action: "allow", visitor_id: event.identification?.visitor_id });
  });

  test("a webhook, and its verdict by the event's id", async () => {
    const event = aBot();
    const body = JSON.stringify(event);
    const { status, json } = await door.request("/v1/webhooks/fingerprint", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "fpjs-event-signature": signWebhook(Buffer.from(body), WEBHOOK_SECRETS[0]),
      },
      body,
    });
    expect(status).toBe(202);
    const { id } = await stack.verdict(idOf(json));
    const { json: listed } = await door.read(`/v1/events/${event.event_id}/verdicts`);
    expect(listed).toMatchObject({ verdicts: [{ id, kind: "webhook", action: "block" }] });
  });

  test("a webhook and a submission of the same event are two submissions", async () => {
    const event = anEvent();
    await stack.verdict(await stack.submitWebhook(event));
    await door.submit(sealed(event), { wait: 10 });
    const { json } = await door.read(`/v1/events/${event.event_id}/verdicts`);
    expect(json).toMatchObject({ verdicts: [{ kind: "sealed", checks: { reused: false } }, { kind: "webhook" }] });
  });
});

describe("one verdict per submission", () => {
  test("however often it is sent at once", async () => {
    const body = sealed();
    const answers = await Promise.all(Array.from({ length: 100 }, () => door.submit(body, { key: "same" })));
    expect(answers.filter(({ json }) => isRecord(json) && json["status"] === "accepted")).toHaveLength(1);
    expect(new Set(answers.map(({ json }) => idOf(json))).size).toBe(1);
    await stack.runWorker();
    await stack.verdict(idOf(answers[0]?.json));
    expect(await stack.published()).toHaveLength(1);
  });

  test("a repeat after the decision is answered with that verdict", async () => {
    await stack.runWorker();
    const body = sealed();
    const first = await door.submit(body, { key: "same", wait: 10 });
    const again = await door.submit(body, { key: "same" });
    expect(again.status).toBe(200);
    expect(again.json).toEqual(first.json);
  });
});

function idOf(json: unknown): string {
  return isRecord(json) ? String(json["id"]) : "";
}
