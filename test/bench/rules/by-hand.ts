import type { Found } from "./forty-rules.ts";
import type { Said } from "./one-event.ts";

/** A signal or what was worked out of signals; undefined is unknown. */
type Tri = boolean | undefined;

/** The event as far as these rules look at it. */
interface Signals {
  readonly bot?: string;
  readonly bot_info?: { readonly identity?: string; readonly confidence?: string };
  readonly tampering?: boolean;
  readonly tampering_ml_score?: number;
  readonly tampering_details?: { readonly anomaly_score?: number; readonly anti_detect_browser?: boolean };
  readonly vpn?: boolean;
  readonly vpn_confidence?: string;
  readonly vpn_methods?: {
    readonly relay?: boolean;
    readonly timezone_mismatch?: boolean;
    readonly public_vpn?: boolean;
  };
  readonly proxy?: boolean;
  readonly proxy_confidence?: string;
  readonly proxy_details?: { readonly proxy_type?: string };
  readonly ip_blocklist?: {
    readonly tor_node?: boolean;
    readonly attack_source?: boolean;
    readonly email_spam?: boolean;
  };
  readonly virtual_machine?: boolean;
  readonly emulator?: boolean;
  readonly simulator?: boolean;
  readonly frida?: boolean;
  readonly jailbroken?: boolean;
  readonly root_apps?: boolean;
  readonly cloned_app?: boolean;
  readonly location_spoofing?: boolean;
  readonly mitm_attack?: boolean;
  readonly high_activity_device?: boolean;
  readonly velocity?: Readonly<Record<string, Readonly<Record<string, number>> | undefined>>;
  readonly suspect_score?: number;
  readonly privacy_settings?: boolean;
  readonly identification?: {
    readonly visitor_id?: string;
    readonly visitor_found?: boolean;
    readonly confidence?: { readonly score?: number };
  };
  readonly incognito?: boolean;
  readonly developer_tools?: boolean;
  readonly ip_info?: {
    readonly v4?: {
      readonly address?: string;
      readonly datacenter_result?: boolean;
      readonly asn_type?: string;
      readonly geolocation?: { readonly country_code?: string };
    };
  };
}

interface Facts {
  readonly order_value_eur?: number;
  readonly account_age_days?: number;
  readonly orders?: number;
  readonly delivery?: string;
}

type Judged = { readonly id: string; readonly score: number; readonly when: (on: On) => Tri };

interface On {
  readonly signals: Signals;
  readonly checks: Said["checks"];
  readonly flow: string | undefined;
  readonly facts: Facts;
}

const and = (a: Tri, b: Tri): Tri =>
  a === false || b === false ? false : a === undefined || b === undefined ? undefined : true;
const or = (a: Tri, b: Tri): Tri =>
  a === true || b === true ? true : a === undefined || b === undefined ? undefined : false;
const not = (a: Tri): Tri => (a === undefined ? undefined : !a);
const is = (a: string | undefined, b: string): Tri => (a === undefined ? undefined : a === b);
const isNot = (a: string | undefined, b: string): Tri => (a === undefined ? undefined : a !== b);
const above = (a: number | undefined, b: number): Tri => (a === undefined ? undefined : a > b);
const below = (a: number | undefined, b: number): Tri => (a === undefined ? undefined : a < b);
const FAR = new Set(["BR", "NG", "RU"]);

const RULES: readonly Judged[] = [
  { id: "bad_bot", score: 100, when: ({ signals }) => is(signals.bot, "bad") },
  {
    id: "spoofed_bot",
    score: 50,
    when: ({ signals: { bot_info: info } }) => and(is(info?.identity, "spoofed"), isNot(info?.confidence, "low")),
  },
  { id: "anti_detect_browser", score: 90, when: ({ signals }) => signals.tampering_details?.anti_detect_browser },
  {
    id: "tampered_browser",
    score: 40,
    when: ({ signals }) => and(signals.tampering, above(signals.tampering_details?.anomaly_score, 0.5)),
  },
  { id: "tampering_predicted", score: 20, when: ({ signals }) => above(signals.tampering_ml_score, 0.8) },
  { id: "vpn", score: 10, when: ({ signals }) => and(signals.vpn, isNot(signals.vpn_confidence, "low")) },
  { id: "vpn_elsewhere", score: 10, when: ({ signals }) => and(signals.vpn, signals.vpn_methods?.timezone_mismatch) },
  { id: "public_vpn", score: 5, when: ({ signals }) => signals.vpn_methods?.public_vpn },
  { id: "proxy", score: 15, when: ({ signals }) => and(signals.proxy, isNot(signals.proxy_confidence, "low")) },
  {
    id: "residential_proxy",
    score: 15,
    when: ({ signals }) => and(signals.proxy, is(signals.proxy_details?.proxy_type, "residential")),
  },
  { id: "tor", score: 30, when: ({ signals }) => signals.ip_blocklist?.tor_node },
  {
    id: "attack_source",
    score: 15,
    when: ({ signals: { ip_blocklist: list } }) => or(list?.attack_source, list?.email_spam),
  },
  { id: "virtual_machine", score: 15, when: ({ signals }) => signals.virtual_machine },
  { id: "emulated_phone", score: 40, when: ({ signals }) => or(signals.emulator, signals.simulator) },
  { id: "instrumented_app", score: 60, when: ({ signals }) => signals.frida },
  { id: "unlocked_phone", score: 10, when: ({ signals }) => or(signals.jailbroken, signals.root_apps) },
  { id: "cloned_app", score: 25, when: ({ signals }) => signals.cloned_app },
  { id: "spoofed_location", score: 25, when: ({ signals }) => signals.location_spoofing },
  { id: "intercepted_traffic", score: 30, when: ({ signals }) => signals.mitm_attack },
  { id: "rooted_emulator", score: 50, when: ({ signals }) => and(signals.emulator, signals.root_apps) },
  { id: "high_activity", score: 15, when: ({ signals }) => signals.high_activity_device },
  {
    id: "many_accounts",
    score: 30,
    when: ({ signals }) => above(signals.velocity?.["distinct_linked_id"]?.["24_hours"], 5),
  },
  {
    id: "many_countries",
    score: 20,
    when: ({ signals }) => above(signals.velocity?.["distinct_country"]?.["24_hours"], 3),
  },
  {
    id: "many_addresses",
    score: 25,
    when: ({ signals }) => above(signals.velocity?.["distinct_ip"]?.["5_minutes"], 4),
  },
  {
    id: "many_events",
    score: 20,
    when: ({ signals: { velocity } }) =>
      or(above(velocity?.["events"]?.["5_minutes"], 20), above(velocity?.["ip_events"]?.["5_minutes"], 60)),
  },
  { id: "suspect_score", score: 20, when: ({ signals }) => above(signals.suspect_score, 20) },
  {
    id: "suspect_and_private",
    score: 10,
    when: ({ signals }) => and(and(signals.privacy_settings, signals.vpn), above(signals.suspect_score, 10)),
  },
  { id: "uncertain_visitor", score: 10, when: ({ signals }) => below(signals.identification?.confidence?.score, 0.9) },
  {
    id: "new_visitor_orders_much",
    score: 20,
    when: ({ signals, facts }) => and(not(signals.identification?.visitor_found), above(facts.order_value_eur, 100)),
  },
  {
    id: "other_visitor",
    score: 50,
    when: ({ checks }) => or(checks.linked_id_mismatch, checks.visitor_id_mismatch),
  },
  { id: "other_origin", score: 50, when: ({ checks }) => checks.origin_mismatch },
  { id: "other_browser", score: 30, when: ({ checks }) => checks.user_agent_mismatch },
  { id: "other_address", score: 15, when: ({ checks }) => checks.ip_mismatch },
  {
    id: "young_and_hidden",
    score: 15,
    when: ({ signals, facts }) => and(signals.incognito, below(facts.account_age_days, 7)),
  },
  {
    id: "debugged_checkout",
    score: 15,
    when: ({ signals, flow }) => and(signals.developer_tools, is(flow, "checkout")),
  },
  {
    id: "datacenter",
    score: 20,
    when: ({ signals }) => and(signals.ip_info?.v4?.datacenter_result, not(signals.vpn)),
  },
  { id: "hosted", score: 15, when: ({ signals }) => is(signals.ip_info?.v4?.asn_type, "hosting") },
  {
    id: "far_and_dear",
    score: 20,
    when: ({ signals, facts }) => {
      const country = signals.ip_info?.v4?.geolocation?.country_code;
      return and(country === undefined ? undefined : FAR.has(country), above(facts.order_value_eur, 200));
    },
  },
  {
    id: "large_and_digital",
    score: 20,
    when: ({ facts }) => and(above(facts.order_value_eur, 300), is(facts.delivery, "digital")),
  },
  {
    id: "known_customer",
    score: -20,
    when: ({ facts }) => and(above(facts.account_age_days, 365), above(facts.orders, 3)),
  },
];

/** The limit: the rules as one would write them in code, a closure each, absence told from false. */
export function judgeByHand({ event, checks, context }: Said): Found {
  const on: On = { signals: event, checks, flow: context.flow, facts: context.facts ?? {} };
  const hits: string[] = [];
  let sum = 0;
  for (const { id, score, when } of RULES) {
    if (when(on) !== true) continue;
    hits.push(id);
    sum += score;
  }
  return { score: Math.max(0, sum), hits };
}
