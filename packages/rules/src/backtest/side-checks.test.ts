import type { Checks, Event } from "@assay/protocol";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadRuleset, type Ruleset } from "../index.ts";
import { judgeChecks } from "../verdict/checks.ts";
import type { BacktestRow } from "./backtest-row.ts";
import { checksBy, fieldsOfSettings, isSameForChecks } from "./side-checks.ts";

const RECEIVED_AT = 1_760_000_000_000;
const SHOP = "https://shop.example";

const loaded = new Map<string, Ruleset>();

function rulesetWith(settings: string): Ruleset {
  const ruleset = loaded.get(settings) ?? loadRuleset(`ruleset: test\nsettings: {${settings}}`, { file: "test.yaml" });
  loaded.set(settings, ruleset);
  return ruleset;
}

function aRow(over: Partial<BacktestRow> = {}, event: Partial<Event> = {}): BacktestRow {
  return {
    event: { event_id: "e1", timestamp: RECEIVED_AT - 60_000, sdk: { platform: "js" }, url: `${SHOP}/login`, ...event },
    context: { flow: "login" },
    receivedAt: RECEIVED_AT,
    isArrivalKnown: true,
    kind: "sealed",
    checks: { stale: false },
    outcomes: [],
    ...over,
  };
}

describe("checksBy", () => {
  test.each<[string, string, Partial<BacktestRow>, Checks]>([
    ["max_event_age", "max_event_age: 30s", {}, { stale: true }],
    ["the age of its flow", "max_event_age: 30s, max_event_age_by_flow: { login: 2m }", {}, { stale: false }],
    [
      "when the caller observed it",
      "max_event_age: 30s",
      { context: { observed_at: RECEIVED_AT - 50_000 } },
      { stale: false },
    ],
    ["allowed_origins", "allowed_origins: [https://other.example]", {}, { stale: false, origin_not_allowed: true }],
    ["allowed_origins that hold it", `allowed_origins: [${SHOP}]`, {}, { stale: false, origin_not_allowed: false }],
    ["a list that is empty", "", { checks: { origin_not_allowed: true } }, { stale: false }],
    ["that nobody presented it", "max_event_age: 30s", { kind: "webhook", checks: { stale: true } }, {}],
  ])("judges by %s", (_, settings, row, checks) => {
    expect(checksBy(rulesetWith(settings), aRow(row))).toEqual(checks);
  });

  test("keeps all that hangs on no setting, uses of the event among it", () => {
    const checks = { reused: true, reused_elsewhere: true, use_count: 3, ip_mismatch: false, event_age_seconds: 7 };
    const row = aRow({ checks, context: { ip: "192.0.2.1" } }, { ip_address: "198.51.100.7" });
    expect(checksBy(rulesetWith("max_event_age: 30s, event_use: once"), row)).toEqual({ ...checks, stale: true });
  });

  test("keeps what the row says where it does not hold what the judgment takes", () => {
    const checks = { stale: false, origin_not_allowed: true, app_not_allowed: false, environment_not_allowed: true };
    const settings = `max_event_age: 1s, allowed_origins: [${SHOP}], allowed_apps: [a], allowed_environments: [e]`;
    const { event } = aRow();
    const bare = { event_id: event.event_id, timestamp: event.timestamp };
    const row = aRow({ checks, event: bare, isArrivalKnown: false });
    expect(checksBy(rulesetWith(settings), row)).toBe(checks);
  });

  test("says of every row what the checks of a submission say, and changes no row", () => {
    const one = <Value>(...values: Value[]) => fc.constantFrom(...values);
    const settings = fc.record({
      max_event_age: one("1s", "1m", "1h"),
      allowed_origins: one("[]", `[${SHOP}]`),
      allowed_apps: one("[]", "[app.one]"),
      allowed_environments: one("[]", "[live]"),
    });
    const event = fc.record(
      {
        url: one(`${SHOP}/a`, "https://other.example"),
        sdk: one({ platform: "js" as const }, { platform: "ios" as const }),
        bundle_id: one("app.one", "app.two"),
        package_name: one("app.one", "app.two"),
        environment_id: one("live", "test"),
        ip_address: one("198.51.100.7"),
      },
      { requiredKeys: [] },
    );
    const said = fc.record({ kind: one("sealed" as const, "webhook" as const), ageMs: one(0, 5000, 600_000) });
    fc.assert(
      fc.property(settings, settings, event, said, (then, now, fields, { kind, ageMs }) => {
        const [before, after] = [then, now].map((given) =>
          rulesetWith(
            Object.entries(given)
              .map((pair) => pair.join(": "))
              .join(", "),
          ),
        );
        if (before === undefined || after === undefined) throw new Error("Two were made.");
        const whole: Event = { event_id: "e1", timestamp: RECEIVED_AT - ageMs, ...fields };
        const context = { flow: "login", ip: "192.0.2.1" };
        const by = (ruleset: Ruleset, of: Event) =>
          judgeChecks({
            kind,
            event: of,
            context,
            receivedAt: RECEIVED_AT,
            settings: ruleset.settings,
            maxEventAgeMs: ruleset.maxEventAgeMs(context.flow),
          });
        const row = aRow({ context, kind, event: whole, checks: Object.freeze(by(before, whole)) });
        expect(checksBy(after, row)).toEqual(by(after, whole));
        // And so it says of an event of which only these fields were read.
        const needed = fieldsOfSettings(after.settings).map((path) => path.split(".")[0]);
        const few: Event = { event_id: whole.event_id, timestamp: whole.timestamp };
        Object.assign(few, Object.fromEntries(Object.entries(fields).filter(([name]) => needed.includes(name))));
        expect(checksBy(after, { ...row, event: few })).toEqual(by(after, whole));
        expect(isSameForChecks(before.settings, after.settings)).toBe(JSON.stringify(then) === JSON.stringify(now));
      }),
    );
  });
});
