import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seal } from "@assay/fingerprint";
import { type Event, webhookId } from "@assay/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { anEvent, anEventId } from "../../support/events.ts";
import { openWorkerStack, type WorkerStack } from "../../support/worker-stack.ts";

const RULESET = `
ruleset: default
settings: { allowed_origins: [https://shop.example] }
expose: [factory_reset_timestamp]
counters:
  seen: { key: identification.visitor_id, window: 1h }
rules:
  - { id: known_visitor, when: identification.visitor_id != "nobody", score: 1 }
  - { id: visitor_seen, when: counters.seen > 0, score: 1 }
  - { id: webhook_rule, when: 'triggered_by.exists(rule, rule.name == "bots")', action: review }
  - { id: sure_visitor, when: identification.visitor_found && identification.confidence.score < 0.9, score: 1 }
  - { id: fresh_phone, when: has(factory_reset_timestamp) && age(factory_reset_timestamp) < 86400, score: 1 }
  - { id: hidden, when: vpn || proxy, score: 1 }
`;

let folder: string;
let stack: WorkerStack;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "assay-unusual-"));
  writeFileSync(join(folder, "default.yaml"), RULESET);
  stack = await openWorkerStack({ env: { ASSAY_RULESETS: folder } });
  await stack.runWorker();
});
afterAll(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What Fingerprint's edge analysis tells: there is no device, and so no visitor. */
function anEdgeEvent(): Event {
  const timestamp = Date.now();
  return {
    event_id: anEventId(timestamp),
    timestamp,
    source: "edge",
    url: "https://shop.example/login",
    ip_info: { v4: { address: "203.0.113.7", datacenter_result: true } },
    vpn: false,
    proxy: false,
  };
}

/** The verdict on JSON as the vendor seals it, in whatever version. */
async function verdictOnSealed(json: object) {
  return await stack.verdict(await stack.submitSealed(seal(json, stack.sealedKey)));
}

/** The verdict on the body of a webhook, in whatever version. */
async function verdictOnWebhook(eventId: string, json: object) {
  const id = webhookId("0", eventId);
  const payload = Buffer.from(JSON.stringify(json));
  await stack.producer.submit({ id, submission: { kind: "webhook", event_id: eventId, payload } });
  return await stack.verdict(id);
}

describe("an edge event", () => {
  test("is decided without a visitor id, and what asks for a visitor is unknown, not false", async () => {
    const verdict = await stack.verdict(await stack.submitWebhook(anEdgeEvent()));
    expect(verdict).toMatchObject({ action: "allow", kind: "webhook", reasons: [] });
    expect(verdict).not.toHaveProperty("undecided");
    expect(verdict).not.toHaveProperty("visitor_id");
    expect(verdict).not.toHaveProperty("platform");
    expect(verdict.unknown).toContainEqual({ rule: "known_visitor", missing: ["identification.visitor_id"] });
    expect(verdict.unknown).toContainEqual({ rule: "visitor_seen", missing: ["counters.seen"] });
    expect(verdict.unknown.map(({ rule }) => rule)).not.toContain("hidden");
  });

  test("that somebody presents is claimed and judged by what it has", async () => {
    const event = anEdgeEvent();
    await stack.verdict(await stack.submitWebhook(event));
    const context = { ip: "203.0.113.7", visitor_id: "TaMMlWVmHSgkE8zfQJpJ", origin: "https://evil.example" };
    const verdict = await stack.verdict(await stack.submitLookup(event.event_id, { context }));
    expect(verdict).toMatchObject({
      event_source: "stored",
      checks: { ip_mismatch: false, reused: false, use_count: 1 },
    });
    const judged = Object.keys(verdict.checks);
    expect(judged.filter((name) => /visitor|origin|user_agent/.test(name))).toEqual([]);
  });
});

describe("an unusual event", () => {
  test("triggered_by of a webhook can be asked for, and is unknown elsewhere", async () => {
    const triggered_by = [{ id: "fr_1", name: "bots", description: "Bots on login" }];
    const webhook = await stack.verdict(await stack.submitWebhook(anEvent({ triggered_by })));
    expect(webhook.reasons.map(({ rule }) => rule)).toContain("webhook_rule");
    const sealed = await verdictOnSealed(anEvent());
    expect(sealed.unknown).toContainEqual({ rule: "webhook_rule", missing: ["triggered_by"] });
  });

  test("a first-time visitor's constant confidence of 1.0 says nothing for or against him", async () => {
    const first = (confidence: object) =>
      verdictOnSealed(anEvent({ identification: { visitor_id: "a", visitor_found: false, ...confidence } }));
    const [constant, none] = [await first({ confidence: { score: 1 } }), await first({})];
    expect(constant.reasons.map(({ rule }) => rule)).toEqual(none.reasons.map(({ rule }) => rule));
    expect(constant.unknown.map(({ rule }) => rule)).not.toContain("sure_visitor");
  });

  test("a high-recall id is one that the caller may know the visitor by", async () => {
    const event = anEvent({
      supplementary_id_high_recall: { visitor_id: "recalled_1", confidence: { score: 0, version: "Not Supported" } },
    });
    const verdictFor = async (visitor_id: string) =>
      await stack.verdict(await stack.submitSealed(event, { context: { visitor_id, flow: `f${visitor_id.length}` } }));
    expect((await verdictFor("recalled_1")).checks.visitor_id_mismatch).toBe(false);
    expect((await verdictFor("somebody_else")).checks.visitor_id_mismatch).toBe(true);
  });

  test("factory_reset_timestamp: 0 is not known, so no phone was reset", async () => {
    const phone = { sdk: { platform: "android" }, factory_reset_timestamp: 0 };
    const verdict = await verdictOnSealed(anEvent(phone));
    expect(verdict.signals ?? {}).not.toHaveProperty("factory_reset_timestamp");
    expect(verdict.reasons.map(({ rule }) => rule)).not.toContain("fresh_phone");
    const fresh = await verdictOnSealed(anEvent({ ...phone, factory_reset_timestamp: Date.now() - 60_000 }));
    expect(fresh.reasons.map(({ rule }) => rule)).toContain("fresh_phone");
  });

  test.each([[271_828], ["blue"], [["blue"]]])(
    "v3 tags that are %j are left out, and the rest is judged",
    async (tag) => {
      const eventId = anEventId();
      const timestamp = Date.now();
      const data = { requestId: eventId, visitorId: "visitor", timestamp, tag, linkedId: { broken: "format" } };
      const verdict = await verdictOnSealed({
        products: { identification: { data }, vpn: { data: { result: true } } },
      });
      expect(verdict).toMatchObject({ event_id: eventId, visitor_id: "visitor" });
      expect(verdict.reasons.map(({ rule }) => rule)).toContain("hidden");
      expect(verdict).not.toHaveProperty("linked_id");
    },
  );

  test("a v3 product that failed is unknown, not false", async () => {
    const data = { requestId: anEventId(), visitorId: "visitor", timestamp: Date.now() };
    const failed = { error: { code: "429 Too Many Requests", message: "too many requests" } };
    const verdict = await verdictOnSealed({ products: { identification: { data }, vpn: failed, proxy: failed } });
    expect(verdict.unknown).toContainEqual({ rule: "hidden", missing: ["vpn", "proxy"] });
  });

  test("a v3 webhook without a visitor id ends in a verdict without one", async () => {
    const json = {
      requestId: anEventId(),
      timestamp: Date.now(),
      ip: "203.0.113.7",
      url: "https://shop.example/",
      tag: 7,
    };
    const verdict = await verdictOnWebhook(json.requestId, {
      ...json,
      time: new Date().toISOString(),
      visitorFound: false,
    });
    expect(verdict).toMatchObject({ event_id: json.requestId, action: "allow" });
    expect(verdict).not.toHaveProperty("visitor_id");
  });
});
