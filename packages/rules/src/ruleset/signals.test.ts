import { describe, expect, test } from "vitest";
import { loadRuleset } from "../ruleset.ts";

const RULESET = `
ruleset: default
facts: { age: number }
counters:
  devices: { key: linked_id, distinct: identification.visitor_id, where: bot == "bad", window: 1d }
rules:
  - { id: hidden, when: (vpn && vpn_confidence != "low" || proxy) && facts.age < 7, score: 1 }
  - { id: shy, when: incognito && !has(tags), except: vpn, score: 1, mode: shadow }
  - { id: fast, when: velocity.distinct_ip.5_minutes > 3, score: 1 }
  - { id: old, when: tampering, score: 1, mode: off }
`;

describe("ruleset.signals", () => {
  test("names who needs each signal, in rules, exceptions and counters", () => {
    const { signals } = loadRuleset(RULESET, { file: "default.yaml" });
    expect(Object.fromEntries(signals)).toEqual({
      vpn: ["hidden", "shy"],
      vpn_confidence: ["hidden"],
      proxy: ["hidden"],
      incognito: ["shy"],
      "velocity.distinct_ip.5_minutes": ["fast"],
      linked_id: ["counters.devices"],
      "identification.visitor_id": ["counters.devices"],
      bot: ["counters.devices"],
    });
  });
});
