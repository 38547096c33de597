import { readdirSync, readFileSync } from "node:fs";
import { EVENT_FIELDS } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { inputOf } from "../test/build.ts";
import { loadRuleset, loadRulesetFolder } from "./index.ts";

/** The tests of a text, as far as they are looked at here. */
interface Written {
  readonly include?: readonly string[];
  readonly tests: readonly { readonly expect: { readonly rules?: string[]; readonly shadow?: string[] } }[];
}

const root = new URL("../../../rulesets/", import.meta.url);
const files = new Map(
  readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.(?:yaml|txt)$/.test(path))
    .map((path) => [path, readFileSync(new URL(path, root), "utf8")]),
);
const folder = loadRulesetFolder(files, { folder: "rulesets", now: Date.now() });

test.each(folder.all)("$name is loaded again from its files, as what it was", ({ digest, files: own }) => {
  const [[file = "", text = ""] = []] = own;
  expect(loadRuleset(text, { file, files: own }).digest).toBe(digest);
});

/** An ordinary customer in a browser, everything activated. */
const customer = {
  sdk: { platform: "js" },
  identification: { visitor_id: "Ibk1527CUFmcnjLwIs4A", visitor_found: true, confidence: { score: 1 } },
  ip_address: "203.0.113.7",
  ip_info: { v4: { datacenter_result: false, geolocation: { country_code: "DE" } } },
  bot: "not_detected",
  vpn: false,
  vpn_confidence: "high",
  proxy: false,
  proxy_confidence: "high",
  ip_blocklist: { email_spam: false, attack_source: false, tor_node: false },
  tampering: false,
  tampering_ml_score: 0.02,
  tampering_details: { anomaly_score: 0.1, anti_detect_browser: false },
  virtual_machine: false,
  incognito: false,
  high_activity_device: false,
  suspect_score: 0,
  velocity: {
    distinct_ip: { "5_minutes": 1 },
    distinct_linked_id: { "24_hours": 1 },
    distinct_country: { "24_hours": 1 },
  },
};

/** What any device has, of an app: those of a browser are absent. */
const app = {
  ...customer,
  bot: undefined,
  virtual_machine: undefined,
  incognito: undefined,
  frida: false,
  location_spoofing: false,
  mitm_attack: false,
  active_call: false,
};
const android = { ...app, sdk: { platform: "android" }, emulator: false, root_apps: false, cloned_app: false };
const iphone = { ...app, sdk: { platform: "ios" }, simulator: false, jailbroken: false };
const devices = [
  ["a browser", "browser", customer],
  ["an Android app", "android", android],
  ["an iPhone app", "ios", iphone],
] as const;

/** What a person may do for his own reasons, or without knowing. */
const HARMLESS: readonly (readonly [string, Record<string, unknown>])[] = [
  ["nothing known of him", {}],
  ["everything as usual", customer],
  ["a private window", { ...customer, incognito: true, privacy_settings: true }],
  ["a VPN", { ...customer, vpn: true, suspect_score: 4 }],
  ["a VPN in a private window", { ...customer, vpn: true, incognito: true, suspect_score: 8 }],
  ["a VPN that leaves a data centre", { ...customer, vpn: true, ip_info: { v4: { datacenter_result: true } } }],
  ["developer tools", { ...customer, developer_tools: true }],
  ["a first visit", { ...customer, identification: { visitor_id: "a", visitor_found: false } }],
  ["a jailbroken iPhone", { ...iphone, jailbroken: true }],
  ["a phone call", { ...android, active_call: true }],
];

/**
 * What speaks for a stolen event; those that an honest visitor may run into are asked about, never refused. Only a player
 * that starts again, in account sharing, may show one event twice.
 */
const TOLD: readonly (readonly [check: string, mayBeHonest: boolean])[] = [
  ["checks.ip_mismatch", true],
  ["checks.user_agent_mismatch", true],
  ["checks.linked_id_mismatch", true],
  ["checks.visitor_id_mismatch", true],
  ["checks.origin_mismatch", true],
  ["checks.origin_not_allowed", true],
  ["checks.app_not_allowed", true],
  ["checks.stale", true],
  ["checks.reused", true],
  ["checks.reused_elsewhere", false],
  ["checks.event_id_mismatch", false],
  ["checks.environment_not_allowed", false],
  ["replayed", false],
];

describe("the shipped rulesets", () => {
  test("load without a warning", () => {
    expect(folder.warnings).toEqual([]);
  });

  test("leave every flow to the default until a route is switched on", () => {
    expect(["login", "signup", "checkout", undefined].map((flow) => folder.forFlow(flow).name)).toEqual(
      Array.from({ length: 4 }, () => "default"),
    );
  });

  test("have a route for each flow that a ruleset asks for", () => {
    const switchedOn = (files.get("_routes.yaml") ?? "").replaceAll(/^# (?=['a-z_*]+: [a-z_]+$)/gm, "");
    const routed = loadRulesetFolder(new Map(files).set("_routes.yaml", switchedOn), { folder: "rulesets", now: 0 });
    expect(routed.warnings).toEqual([]);
    const flows = routed.all.flatMap((ruleset) =>
      ruleset.flows.map((flow) => [routed.forFlow(flow).name, ruleset.name]),
    );
    expect(flows.filter(([by, name]) => by !== name)).toEqual([]);
    expect(new Set(routed.flows.map((flow) => routed.forFlow(flow).name)).size).toBe(routed.all.length - 1);
  });
});

describe.each(folder.all.map((ruleset) => [ruleset.origin, ruleset] as const))("%s", (origin, ruleset) => {
  const own = writtenIn(origin.slice("rulesets/".length));
  const tests = [...(own.include ?? []).map(writtenIn), own].flatMap((text) => text.tests);

  test("passes its own tests", () => {
    const results = ruleset.runTests();
    expect(results.filter(({ passed }) => !passed)).toEqual([]);
    expect(results).toHaveLength(tests.length);
  });

  test("has a test that hits each rule", () => {
    const hit = new Set(tests.flatMap(({ expect: { rules = [], shadow = [] } }) => [...rules, ...shadow]));
    expect(ruleset.ruleIds.filter((id) => !hit.has(id))).toEqual([]);
  });

  test("gives every rule a message", () => {
    expect(ruleset.rules.filter(({ message }) => message === undefined)).toEqual([]);
    expect(ruleset.rules).toHaveLength(ruleset.ruleIds.length);
  });

  test.each(HARMLESS)("lets somebody in with %s", (_, signals) => {
    expect(ruleset.decide(inputOf(signals)).action).toBe("allow");
  });

  test.each(TOLD)("lets nobody in for whom %s is true", (path, mayBeHonest) => {
    const [name = "", of] = path.split(".").toReversed();
    const input = of === undefined ? inputOf({ [name]: true }) : inputOf({}, { checks: { [name]: true } });
    const isExcused = ruleset.name === "account_sharing" && name === "reused";
    const expected = mayBeHonest ? ["challenge", "review"] : ["block"];
    expect(isExcused ? ["allow"] : expected).toContain(ruleset.decide(input).action);
  });

  test.each<readonly [what: string, signals: Record<string, unknown>]>([
    ["an ordinary one", customer],
    ["a hidden one", { ...customer, vpn: true, proxy: true, suspect_score: 30 }],
  ])("trusts no first visitor for his confidence, which is always 1: %s", (_, signals) => {
    const seen = (identification: object) =>
      ruleset.decide(
        inputOf({ ...signals, identification: { visitor_id: "a", visitor_found: false, ...identification } }),
      );
    const { unknown: _told, coverage: _judged, ...firstVisit } = seen({ confidence: { score: 1 } });
    expect(seen({})).toMatchObject(firstVisit);
  });

  test("decides on an edge event, whose rules about a visitor are unknown and never hit", () => {
    const edge = inputOf({ source: "edge", bot_info: { identity: "verified", confidence: "high" }, vpn: false });
    const { reasons, unknown } = ruleset.decide(edge);
    expect(reasons).toEqual([]);
    const missing = unknown.flatMap((rule) => rule.missing);
    expect(missing).toContainEqual(expect.stringMatching(/^identification\./));
  });

  test.each(devices)("can judge every rule about what %s can have", (_, platform, signals) => {
    const { unknown, shadowUnknown } = ruleset.decide(inputOf(signals));
    const missing = [...unknown, ...shadowUnknown].flatMap((rule) => rule.missing);
    const signalsOfIt = Object.entries(EVENT_FIELDS).filter(([, field]) => field.platforms?.includes(platform) ?? true);
    // A visitor who is no bot has no bot_info.
    const expected = signalsOfIt.map(([path]) => path).filter((path) => !path.startsWith("bot_info"));
    expect(missing.filter((path) => expected.includes(path))).toEqual([]);
  });

  test.each(devices)("decides on %s by the fields that it names alone", (_, __, signals) => {
    const told = { ...signals, bot: "bad", vpn: true, frida: true, replayed: true, tampering: true, suspect_score: 40 };
    expect(ruleset.decide(inputOf(chosen(told, ruleset.eventFields)))).toEqual(ruleset.decide(inputOf(told)));
  });

  test("says in its head when to use it, by whose guidance, and what it will not do", () => {
    const head = /^(?:#.*\n)+/.exec(files.get(origin.slice("rulesets/".length)) ?? "")?.[0] ?? "";
    expect(head).toContain("What it will not do:");
  });
});

/** What of an object stands at these paths, or below one of them. */
function chosen(given: object, paths: ReadonlySet<string>, parent = ""): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]): [string, unknown][] => {
      const path = `${parent}${name}`;
      if (paths.has(path)) return [[name, value]];
      const isHolder = [...paths].some((one) => one.startsWith(`${path}.`));
      return isHolder ? [[name, chosen(Object(value), paths, `${path}.`)]] : [];
    }),
  );
}

function writtenIn(path: string): Written {
  return parse(files.get(path) ?? "");
}
