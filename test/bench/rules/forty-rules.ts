/** A condition that every engine can be given in its own words. A path alone is a boolean signal. */
export type Clause =
  | string
  | readonly [path: string, op: Comparison, value: string | number]
  | readonly [path: string, op: "in", values: readonly string[]]
  | { readonly all: readonly Clause[] }
  | { readonly any: readonly Clause[] }
  | { readonly not: string };

export type Comparison = "==" | "!=" | "<" | ">";

/** One rule: a hit adds its score. */
export interface BenchRule {
  readonly id: string;
  readonly score: number;
  readonly when: Clause;
}

/** What every engine must say of an event. */
export interface Found {
  readonly score: number;
  /** Ids of the rules that hit. */
  readonly hits: readonly string[];
}

const all = (...clauses: Clause[]): Clause => ({ all: clauses });
const any = (...clauses: Clause[]): Clause => ({ any: clauses });
const not = (path: string): Clause => ({ not: path });

const WHEN: readonly (readonly [id: string, score: number, when: Clause])[] = [
  ["bad_bot", 100, ["bot", "==", "bad"]],
  ["spoofed_bot", 50, all(["bot_info.identity", "==", "spoofed"], ["bot_info.confidence", "!=", "low"])],
  ["anti_detect_browser", 90, "tampering_details.anti_detect_browser"],
  ["tampered_browser", 40, all("tampering", ["tampering_details.anomaly_score", ">", 0.5])],
  ["tampering_predicted", 20, ["tampering_ml_score", ">", 0.8]],
  ["vpn", 10, all("vpn", ["vpn_confidence", "!=", "low"])],
  ["vpn_elsewhere", 10, all("vpn", "vpn_methods.timezone_mismatch")],
  ["public_vpn", 5, "vpn_methods.public_vpn"],
  ["proxy", 15, all("proxy", ["proxy_confidence", "!=", "low"])],
  ["residential_proxy", 15, all("proxy", ["proxy_details.proxy_type", "==", "residential"])],
  ["tor", 30, "ip_blocklist.tor_node"],
  ["attack_source", 15, any("ip_blocklist.attack_source", "ip_blocklist.email_spam")],
  ["virtual_machine", 15, "virtual_machine"],
  ["emulated_phone", 40, any("emulator", "simulator")],
  ["instrumented_app", 60, "frida"],
  ["unlocked_phone", 10, any("jailbroken", "root_apps")],
  ["cloned_app", 25, "cloned_app"],
  ["spoofed_location", 25, "location_spoofing"],
  ["intercepted_traffic", 30, "mitm_attack"],
  ["rooted_emulator", 50, all("emulator", "root_apps")],
  ["high_activity", 15, "high_activity_device"],
  ["many_accounts", 30, ["velocity.distinct_linked_id.24_hours", ">", 5]],
  ["many_countries", 20, ["velocity.distinct_country.24_hours", ">", 3]],
  ["many_addresses", 25, ["velocity.distinct_ip.5_minutes", ">", 4]],
  ["many_events", 20, any(["velocity.events.5_minutes", ">", 20], ["velocity.ip_events.5_minutes", ">", 60])],
  ["suspect_score", 20, ["suspect_score", ">", 20]],
  ["suspect_and_private", 10, all("privacy_settings", "vpn", ["suspect_score", ">", 10])],
  ["uncertain_visitor", 10, ["identification.confidence.score", "<", 0.9]],
  ["new_visitor_orders_much", 20, all(not("identification.visitor_found"), ["facts.order_value_eur", ">", 100])],
  ["other_visitor", 50, any("checks.linked_id_mismatch", "checks.visitor_id_mismatch")],
  ["other_origin", 50, "checks.origin_mismatch"],
  ["other_browser", 30, "checks.user_agent_mismatch"],
  ["other_address", 15, "checks.ip_mismatch"],
  ["young_and_hidden", 15, all("incognito", ["facts.account_age_days", "<", 7])],
  ["debugged_checkout", 15, all("developer_tools", ["context.flow", "==", "checkout"])],
  ["datacenter", 20, all("ip_info.v4.datacenter_result", not("vpn"))],
  ["hosted", 15, ["ip_info.v4.asn_type", "==", "hosting"]],
  [
    "far_and_dear",
    20,
    all(["ip_info.v4.geolocation.country_code", "in", ["BR", "NG", "RU"]], ["facts.order_value_eur", ">", 200]),
  ],
  ["large_and_digital", 20, all(["facts.order_value_eur", ">", 300], ["facts.delivery", "==", "digital"])],
  ["known_customer", -20, all(["facts.account_age_days", ">", 365], ["facts.orders", ">", 3])],
];

/** Forty rules about every kind of signal, those of phones too. */
export const FORTY_RULES: readonly BenchRule[] = WHEN.map(([id, score, when]) => ({ id, score, when }));

/** The score of the rules that hit, as decisions have it. */
export function foundOf(hits: readonly BenchRule[]): Found {
  let score = 0;
  for (const rule of hits) score += rule.score;
  return { score: Math.max(0, score), hits: hits.map(({ id }) => id) };
}

/** The signals of a clause and what each is compared with; a boolean one with nothing. */
export function leavesOf(clause: Clause): { path: string; value?: string | number | readonly string[] }[] {
  if (typeof clause === "string") return [{ path: clause }];
  if ("all" in clause) return clause.all.flatMap(leavesOf);
  if ("any" in clause) return clause.any.flatMap(leavesOf);
  if ("not" in clause) return [{ path: clause.not }];
  return [{ path: clause[0], value: clause[2] }];
}
