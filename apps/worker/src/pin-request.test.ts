import type { Event, Kind } from "@assay/protocol";
import { loadRuleset } from "@assay/rules";
import { describe, expect, test } from "vitest";
import { pinRequestOf } from "./pin-request.ts";
import { countersOf, viewOf } from "@assay/rules/verdict";

const RECEIVED_AT = 1_795_000_000_000;
const EVENT_TIME = RECEIVED_AT - 1000;
const VISITOR = "TaMMlWVmHSgkE8zfQJpJ";
const EVENT = {
  event_id: `${EVENT_TIME}.abcdef`,
  timestamp: EVENT_TIME,
  identification: { visitor_id: VISITOR },
  ip_address: "203.0.113.7",
};

const ruleset = (counters: string, name = "default") =>
  loadRuleset(`ruleset: ${name}\ncounters: ${counters}\nrules: []\n`, { file: `${name}.yaml` });
const COUNTERS = `{
  seen: { key: identification.visitor_id, window: 24h },
  signups: { key: identification.visitor_id, where: 'context.flow == "signup"', window: 1h },
  accounts: { key: [identification.visitor_id, ip_address], distinct: context.user_id, window: 7d },
  failed: { on: outcome, key: identification.visitor_id, where: 'outcome == "login_failed"', window: 1h }
}`;

function ask({
  kind = "sealed",
  id = `s_${"a".repeat(26)}`,
  context = { flow: "login", user_id: "anna", ip: "203.0.113.7" },
  rules = ruleset(COUNTERS),
  signals = {},
}: { kind?: Kind; id?: string; context?: object; rules?: ReturnType<typeof ruleset>; signals?: Partial<Event> } = {}) {
  const event = { ...EVENT, ...signals };
  const work = { id, meta: { kind, context }, receivedAt: RECEIVED_AT, tries: 1, retries: 0 };
  const live = viewOf(rules, work, event);
  const asked = countersOf(live);
  const request = pinRequestOf({ work, event, live, asked, hashKey: "installation-key" });
  return { request, named: Object.fromEntries(asked.map(({ name }, n) => [name, request?.counters[n]])) };
}

describe("pinRequestOf", () => {
  test("counts the event, and a distinct value by its hash", () => {
    const { named } = ask();
    expect(named["seen"]).toMatchObject({ member: EVENT.event_id, windowMs: 86_400_000 });
    expect(named["accounts"]).toMatchObject({ member: expect.stringMatching(/^[\w-]{22}$/), windowMs: 604_800_000 });
  });

  test("only reads what the submission does not count in", () => {
    const { named } = ask({ context: { flow: "login" } });
    expect(named["signups"]).not.toHaveProperty("member");
    expect(named["accounts"]).not.toHaveProperty("member");
    expect(named["seen"]).toHaveProperty("member");
  });

  test("plans what outcomes will count, by the submission, and counts nothing yet", () => {
    const { failed } = ask().named;
    expect(failed).not.toHaveProperty("member");
    expect(failed?.plan).toEqual({
      key: failed?.key,
      definition: failed?.definition,
      windowMs: 3_600_000,
      member: `s_${"a".repeat(26)}`,
      names: ["login_failed"],
      pairs: ["login_failed/fraud", "login_failed/legit", "login_failed/"],
    });
  });

  test("plans nothing where no outcome can count", () => {
    const counters = `{ failed: { on: outcome, key: identification.visitor_id, where: 'context.flow == "signup" && label == "fraud"', window: 1h } }`;
    expect(ask({ rules: ruleset(counters) }).named["failed"]).not.toHaveProperty("plan");
  });

  test.each([
    { what: "a backfilled event", over: { kind: "backfill" } as const },
    { what: "a redrive", over: { id: `s_${"a".repeat(26)}~1` } },
  ])("only reads for $what", ({ over }) => {
    const { request } = ask(over);
    expect(request?.counters).toHaveLength(4);
    for (const counter of request?.counters ?? []) {
      expect(counter).not.toHaveProperty("member");
      expect(counter).not.toHaveProperty("plan");
    }
  });

  test("asks for the counters of a backfilled event's own time, and never of one to come", () => {
    const old = { timestamp: RECEIVED_AT - 3 * 86_400_000 };
    expect(ask({ kind: "backfill", signals: old }).request?.asOf).toBe(old.timestamp);
    expect(ask({ kind: "backfill", signals: { timestamp: RECEIVED_AT + 1000 } }).request?.asOf).toBe(RECEIVED_AT);
    expect(ask({ kind: "webhook", signals: old }).request).not.toHaveProperty("asOf");
  });

  test("claims what somebody presented, and nothing else", () => {
    expect(ask().request?.use).toMatchObject({ eventId: EVENT.event_id, flow: "login", bound: true });
    expect(ask({ kind: "webhook" }).request).not.toHaveProperty("use");
    expect(ask({ id: `s_${"a".repeat(26)}~1` }).request).not.toHaveProperty("use");
  });

  test("claims nothing by the address of a relay, which another visitor may have next", () => {
    const vpn_methods = { relay: true };
    expect(ask().request?.use?.ipHash).not.toBe("");
    expect(ask({ signals: { vpn_methods } }).request?.use?.ipHash).toBe("");
  });

  test("asks nothing for a webhook without counters", () => {
    expect(ask({ kind: "webhook", rules: ruleset("{}") }).request).toBeUndefined();
  });

  test("says who the visitor is to nobody", () => {
    const told = JSON.stringify(ask().request);
    for (const secret of [VISITOR, "203.0.113.7", "anna", "installation-key"]) expect(told).not.toContain(secret);
  });

  test("keeps the keys of two counters apart, though their values are equal", () => {
    const { named } = ask();
    expect(named["seen"]?.key).not.toBe(named["signups"]?.key);
  });
});
