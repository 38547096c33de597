import type { Context } from "@assay/protocol";
import { Engine, type NestedCondition, type RuleProperties, type TopLevelCondition } from "json-rules-engine";

/** What the peer's worker says of one event. */
export interface PeerDecision {
  readonly action: string;
  readonly score: number;
  readonly rules: readonly string[];
}

/** An event as the vendor's SDK returns it, as far as the peer looks at it by itself. */
export interface PeerEvent {
  readonly event_id: string;
  readonly timestamp: number;
  readonly url?: string | undefined;
  readonly ip_address?: string | undefined;
  readonly user_agent?: string | undefined;
  readonly linked_id?: string | undefined;
}

/** Decides one event at a time by the conditions of `rulesets/default.yaml`. */
export type PeerJudge = (event: PeerEvent, context: Context) => Promise<PeerDecision>;

const MAX_EVENT_AGE_MS = 120_000;
const SEVERITY = ["allow", "challenge", "review", "block"];

// Path, operator, value: the whole of the condition language.
type Clause = readonly [path: string, operator: string, value: unknown];

const isTrue = (path: string): Clause => [path, "equal", true];

const RULES: readonly (readonly [id: string, weight: number | string, of: "all" | "any", ...clauses: Clause[]])[] = [
  ["bad_bot", "block", "all", ["bot", "equal", "bad"]],
  ["spoofed_bot", 50, "all", ["bot_info.identity", "equal", "spoofed"], ["bot_info.confidence", "notEqual", "low"]],
  ["anti_detect_browser", "block", "all", isTrue("tampering_details.anti_detect_browser")],
  ["tampered_browser", 40, "all", isTrue("tampering"), ["tampering_details.anomaly_score", "greaterThan", 0.5]],
  ["tampering_predicted", 20, "all", ["tampering_ml_score", "greaterThan", 0.8]],
  ["vpn", 10, "all", isTrue("vpn"), ["vpn_confidence", "notEqual", "low"]],
  ["proxy", 15, "all", isTrue("proxy"), ["proxy_confidence", "notEqual", "low"]],
  ["residential_proxy", 15, "all", isTrue("proxy"), ["proxy_details.proxy_type", "equal", "residential"]],
  ["tor", 30, "all", isTrue("ip_blocklist.tor_node")],
  ["attack_source", 15, "any", isTrue("ip_blocklist.attack_source"), isTrue("ip_blocklist.email_spam")],
  ["virtual_machine", 15, "all", isTrue("virtual_machine")],
  ["emulated_phone", 40, "any", isTrue("emulator"), isTrue("simulator")],
  ["instrumented_app", 60, "all", isTrue("frida")],
  ["unlocked_phone", 10, "any", isTrue("jailbroken"), isTrue("root_apps")],
  ["cloned_app", 25, "all", isTrue("cloned_app")],
  ["spoofed_location", 25, "all", isTrue("location_spoofing")],
  ["intercepted_traffic", 30, "all", isTrue("mitm_attack")],
  ["high_activity", 15, "all", isTrue("high_activity_device")],
  ["many_accounts", 30, "all", ["velocity.distinct_linked_id.24_hours", "greaterThan", 5]],
  ["many_countries", 20, "all", ["velocity.distinct_country.24_hours", "greaterThan", 3]],
  ["many_addresses", 25, "all", ["velocity.distinct_ip.5_minutes", "greaterThan", 4]],
  ["suspect_score", 20, "all", ["suspect_score", "greaterThan", 20]],
  ["uncertain_visitor", 10, "all", ["identification.confidence.score", "lessThan", 0.9]],
  ["other_visitor", "review", "any", isTrue("checks.linked_id_mismatch"), isTrue("checks.visitor_id_mismatch")],
  ["other_origin", 50, "all", isTrue("checks.origin_mismatch")],
  ["other_browser", 30, "all", isTrue("checks.user_agent_mismatch")],
  ["other_address", 15, "all", isTrue("checks.ip_mismatch")],
  // The part of `integrity` that needs no memory.
  ["replayed", "block", "all", isTrue("replayed")],
  ["stale", "challenge", "all", isTrue("checks.stale")],
];

/** A judge as a team would write it in an afternoon: json-rules-engine over the SDK's event. */
export function createPeerJudge(): PeerJudge {
  // An engine tells its state to all runs on it, so runs that overlap need one each.
  const idle: Engine[] = [];
  return async (event, context) => {
    const engine = idle.pop() ?? new Engine(RULES.map(ruleOf), { allowUndefinedFacts: true });
    try {
      const { results } = await engine.run({ ...event, checks: checksOf(event, context) });
      return settle(results.map(({ name }) => name));
    } finally {
      idle.push(engine);
    }
  };
}

function ruleOf([id, , of, ...clauses]: (typeof RULES)[number]): RuleProperties {
  const conditions = clauses.map(conditionOf);
  const condition: TopLevelCondition = of === "all" ? { all: conditions } : { any: conditions };
  return { name: id, conditions: condition, event: { type: id } };
}

function conditionOf([path, operator, value]: Clause): NestedCondition {
  const [fact = path, ...rest] = path.split(".");
  const inside = rest.map((name) => `['${name}']`).join("");
  return { fact, operator, value, ...(inside === "" ? {} : { path: `$${inside}` }) };
}

function checksOf(event: PeerEvent, context: Context): Record<string, boolean> {
  const differ = (a: string | undefined, b: string | undefined) => a !== undefined && b !== undefined && a !== b;
  return {
    stale: Date.now() - event.timestamp > MAX_EVENT_AGE_MS,
    ip_mismatch: differ(context.ip, event.ip_address),
    user_agent_mismatch: differ(context.user_agent, event.user_agent),
    linked_id_mismatch: differ(context.linked_id, event.linked_id),
    origin_mismatch: differ(context.origin, event.url === undefined ? undefined : new URL(event.url).origin),
  };
}

const WEIGHTS = new Map(RULES.map(([id, weight]) => [id, weight]));

function settle(rules: readonly string[]): PeerDecision {
  let score = 0;
  let severity = 0;
  for (const rule of rules) {
    const weight = WEIGHTS.get(rule) ?? 0;
    if (typeof weight === "number") score += weight;
    else severity = Math.max(severity, SEVERITY.indexOf(weight));
  }
  const reached = score >= 80 ? 3 : score >= 50 ? 2 : score >= 30 ? 1 : 0;
  return { action: SEVERITY[Math.max(severity, reached)] ?? "review", score, rules };
}
