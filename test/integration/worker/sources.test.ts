import { randomBytes } from "node:crypto";
import { parseSealedKeys, seal } from "@assay/fingerprint";
import { tellAbility } from "@assay/ledger";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { anEvent, anEventId } from "../../support/events.ts";
import { error, type FingerprintApi } from "../../support/fingerprint-api.ts";
import { openVendorStack, type VendorStack } from "../../support/vendor-stack.ts";

let api: FingerprintApi;
let stack: VendorStack;
beforeEach(async () => {
  stack = await openVendorStack();
  ({ api } = stack);
});
afterEach(() => stack.stop());

describe("a sealed result", () => {
  beforeEach(() => stack.runWorker());

  test("is decided on what it holds", async () => {
    const event = anEvent({ linked_id: "order-7" });
    const verdict = await stack.verdict(await stack.submitSealed(event));
    expect(verdict).toMatchObject({
      kind: "sealed",
      event_source: "sealed",
      event_id: event.event_id,
      visitor_id: event.identification?.visitor_id,
      linked_id: "order-7",
      event_time: event.timestamp,
      action: "allow",
    });
  });

  test("of agent 3 is decided like one of agent 4", async () => {
    const time = Date.now();
    const v3 = {
      products: {
        identification: {
          data: {
            visitorId: "Ibk1527CUFmcnjLwIs4A",
            requestId: anEventId(time),
            timestamp: time,
            url: "https://shop.example/",
            ip: "203.0.113.9",
          },
        },
        botd: { data: { bot: { result: "bad", type: "selenium" } } },
      },
    };
    const verdict = await stack.verdict(await stack.submitSealed(seal(v3, stack.sealedKey)));
    expect(verdict).toMatchObject({ action: "block", visitor_id: "Ibk1527CUFmcnjLwIs4A" });
  });

  test("sealed with an unknown key is undecided, and its bytes are kept", async () => {
    const [other] = parseSealedKeys(randomBytes(32).toString("base64"));
    if (other === undefined) throw new Error("no key");
    const sealed = seal(anEvent(), other);
    const id = await stack.submitSealed(sealed);
    expect(await stack.verdict(id)).toMatchObject({
      undecided: { code: "no_key_opens" },
      action: "block",
      score: 0,
      reasons: [],
    });
    const [letter] = await stack.redis.xrangeBuffer(stack.keys.deadLetters("input"), "-", "+");
    expect(letter?.[1].at(-1)?.equals(Buffer.from(sealed))).toBe(true);
  });

  test("with one forged byte is undecided", async () => {
    const sealed = Buffer.from(seal(anEvent(), stack.sealedKey));
    sealed[40] = (sealed[40] ?? 0) ^ 1;
    expect(await stack.verdict(await stack.submitSealed(sealed))).toMatchObject({
      undecided: { code: "no_key_opens" },
    });
  });

  test("that inflates beyond the bound is undecided", async () => {
    const bomb = seal(Buffer.alloc(8 * 1024 * 1024), stack.sealedKey);
    expect(await stack.verdict(await stack.submitSealed(bomb))).toMatchObject({ undecided: { code: "too_large" } });
  });
});

describe("a webhook", () => {
  test("is decided on its body", async () => {
    await stack.runWorker();
    const event = anEvent();
    expect(await stack.verdict(await stack.submitWebhook(event))).toMatchObject({
      kind: "webhook",
      event_source: "webhook",
      event_id: event.event_id,
    });
  });
});

describe("an event id", () => {
  test("is looked up", async () => {
    await stack.runWorker();
    const event = anEvent();
    api.add(event);
    expect(await stack.verdict(await stack.submitLookup(event.event_id))).toMatchObject({
      kind: "lookup",
      event_source: "lookup",
      event_id: event.event_id,
    });
  });

  test("that the vendor does not know yet is asked for again", async () => {
    await stack.runWorker();
    const event = anEvent();
    api.add(event);
    api.script(event.event_id, { status: 404, body: error("event_not_found", "event id not found") });
    expect(await stack.verdict(await stack.submitLookup(event.event_id))).toMatchObject({ event_source: "lookup" });
    expect(api.asked).toEqual([event.event_id, event.event_id]);
  });

  test("older than twenty seconds is not asked for again", async () => {
    await stack.runWorker();
    const eventId = anEventId(Date.now() - 25_000);
    expect(await stack.verdict(await stack.submitLookup(eventId))).toMatchObject({
      undecided: { code: "event_not_found" },
      action: "block",
    });
    expect(api.asked).toEqual([eventId]);
  });

  test("refused to this key is undecided where no webhook is taken", async () => {
    await tellAbility(stack.redis, stack.prefix, "0", "webhooks", false);
    await stack.runWorker();
    const eventId = anEventId();
    api.script(eventId, { status: 403, body: error("secret_api_key_not_found", "secret key not found") });
    expect(await stack.verdict(await stack.submitLookup(eventId))).toMatchObject({
      undecided: { code: "lookup_refused" },
    });
  });

  test("refused for its ruleset is undecided, and the log says what to mend", async () => {
    const worker = await stack.startWorker({ env: { ASSAY_FINGERPRINT_RULESET_ID: "rs_deleted" } });
    const eventId = anEventId();
    api.script(eventId, { status: 400, body: error("ruleset_not_found", "ruleset not found") });
    expect(await stack.verdict(await stack.submitLookup(eventId))).toMatchObject({
      undecided: { code: "lookup_refused" },
    });
    await worker.line(({ msg }) => String(msg).includes("Correct ASSAY_FINGERPRINT_RULESET_ID"));
  });

  test("whose event a webhook brought is not asked of the vendor", async () => {
    await stack.runWorker();
    const event = anEvent();
    await stack.verdict(await stack.submitWebhook(event));
    expect(await stack.verdict(await stack.submitLookup(event.event_id))).toMatchObject({ event_source: "stored" });
    expect(api.asked).toEqual([]);
  });

  test("beyond the burst waits for the bucket", async () => {
    await stack.runWorker({ env: { ASSAY_FINGERPRINT_BURST: "2", ASSAY_FINGERPRINT_RPS: "2" } });
    const events = Array.from({ length: 5 }, () => anEvent());
    for (const event of events) api.add(event);
    const from = performance.now();
    const ids = await Promise.all(events.map(({ event_id }) => stack.submitLookup(event_id)));
    const verdicts = await Promise.all(ids.map((id) => stack.verdict(id)));
    expect(verdicts.map(({ event_source }) => event_source)).toEqual(Array.from({ length: 5 }, () => "lookup"));
    // Two at once, then three at two a second.
    expect(performance.now() - from).toBeGreaterThan(1300);
  });
});

describe("a ruleset that does not exist", () => {
  test("leaves its submission undecided", async () => {
    await stack.runWorker();
    const id = "s_" + "a".repeat(26);
    await stack.producer.submit({
      id,
      submission: { kind: "sealed", ruleset: "nowhere", payload: seal(anEvent(), stack.sealedKey) },
    });
    expect(await stack.verdict(id)).toMatchObject({ undecided: { code: "ruleset_not_found" } });
  });
});
