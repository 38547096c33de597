// Compares a decision by rulesets/default.yaml with the CEL library's own evaluation of the same conditions:
//   npx tsx --conditions=@assay/source packages/rules/bench/decide.ts
import { readFileSync } from "node:fs";
import { Environment } from "@marcbachmann/cel-js";
import { parseDocument } from "yaml";
import { type Input, loadRuleset } from "../src/index.ts";
import { replaceWindowKeys } from "../src/condition/window-keys.ts";

const ROUNDS = 300_000;

const text = readFileSync(new URL("../../../rulesets/default.yaml", import.meta.url), "utf8");
const window = (count: number) => ({ "5_minutes": count, "1_hour": count, "24_hours": count });

// Every signal is present: the library cannot judge an absent one.
const input: Input = {
  event: {
    event_id: "1708102555327.NLOjmg",
    timestamp: 1_708_102_555_327,
    identification: { visitor_id: "Ibk1527CUFmcnjLwIs4A", confidence: { score: 0.97 } },
    bot: "not_detected",
    bot_info: { identity: "unknown", confidence: "low" },
    vpn: true,
    vpn_confidence: "high",
    proxy: false,
    proxy_confidence: "high",
    proxy_details: { proxy_type: "unknown" },
    ip_blocklist: { email_spam: false, attack_source: false, tor_node: false },
    tampering: false,
    tampering_ml_score: 0.02,
    tampering_details: { anomaly_score: 0.1, anti_detect_browser: false },
    virtual_machine: false,
    emulator: false,
    simulator: false,
    frida: false,
    jailbroken: false,
    root_apps: false,
    cloned_app: false,
    location_spoofing: false,
    mitm_attack: false,
    high_activity_device: false,
    suspect_score: 8,
    velocity: { distinct_ip: window(1), distinct_linked_id: window(1), distinct_country: window(1) },
  },
  checks: {
    stale: false,
    reused: false,
    linked_id_mismatch: false,
    visitor_id_mismatch: false,
    origin_mismatch: false,
    origin_not_allowed: false,
    app_not_allowed: false,
    user_agent_mismatch: false,
    ip_mismatch: false,
  },
  context: { flow: "login" },
  receivedAt: 1_708_102_556_000,
  kind: "sealed",
};

const ruleset = loadRuleset(text, { file: "default.yaml" });
const environment = new Environment({ unlistedVariablesAreDyn: true });
const document: { rules: { when: string }[] } = parseDocument(text).toJS();
const conditions = document.rules.map(({ when }) => environment.parse(replaceWindowKeys(when)));
const signals: Record<string, unknown> = JSON.parse(
  JSON.stringify({ ...input.event, checks: input.checks })
    .replaceAll('"5_m', '"f_m')
    .replaceAll('"24_h', '"c4_h'),
);

const ours = microsecondsPerRound(() => ruleset.decide(input));
const library = microsecondsPerRound(() => conditions.map((condition) => condition(signals)));
console.log(`${ruleset.ruleIds.length} rules: decide ${ours.toFixed(2)} µs, library ${library.toFixed(2)} µs`);
console.log(`the library alone takes ${(library / ours).toFixed(1)} times as long, without score, action and evidence`);

function microsecondsPerRound(round: () => unknown): number {
  for (let warmUp = 0; warmUp < ROUNDS / 10; warmUp++) round();
  const start = performance.now();
  for (let count = 0; count < ROUNDS; count++) round();
  return ((performance.now() - start) * 1000) / ROUNDS;
}
