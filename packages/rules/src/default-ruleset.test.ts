import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { faultsOf, inputOf } from "../test/build.ts";
import { loadRuleset } from "./index.ts";

const text = readFileSync(new URL("../../../rulesets/default.yaml", import.meta.url), "utf8");
const ruleset = loadRuleset(text, { file: "rulesets/default.yaml" });

/** An ordinary customer in a browser, everything activated. */
const customer = {
  sdk: { platform: "js" },
  identification: { visitor_id: "Ibk1527CUFmcnjLwIs4A", confidence: { score: 1 } },
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
  velocity: { distinct_ip: { "5_minutes": 1, "1_hour": 1, "24_hours": 2 } },
};

const app = { sdk: { platform: "android" } };

/** Every name and every text of every condition, with where it ends in the file. */
const words = text.split("\n").flatMap((line, index) => {
  const when = /^\s+when: /.exec(line);
  if (when === null) return [];
  const lineStart = text.split("\n").slice(0, index).join("\n").length + 1;
  return [...line.slice(when[0].length).matchAll(/[a-z_][\w.]*/g)].map((match) => ({
    word: match[0],
    end: lineStart + when[0].length + match.index + match[0].length,
  }));
});

describe("rulesets/default.yaml", () => {
  test.each([
    ["an ordinary customer", {}, {}, "allow"],
    ["a VPN alone", { vpn: true, vpn_confidence: "high", suspect_score: 4 }, {}, "allow"],
    [
      "a VPN that leaves a data centre",
      { vpn: true, proxy: true, proxy_details: { proxy_type: "data_center" } },
      {},
      "allow",
    ],
    ["a private window", { incognito: true }, {}, "allow"],
    ["a phone that changed its network", {}, { ip_mismatch: true }, "allow"],
    ["a search engine", { bot: "good" }, {}, "allow"],
    ["a slow form", {}, { stale: true }, "challenge"],
    ["a double click", {}, { reused: true }, "challenge"],
    ["Tor", { ip_blocklist: { tor_node: true } }, {}, "challenge"],
    [
      "a VPN behind a residential proxy",
      { vpn: true, proxy: true, proxy_details: { proxy_type: "residential" } },
      {},
      "challenge",
    ],
    ["another visitor than expected", {}, { visitor_id_mismatch: true }, "review"],
    ["a manipulated app", { ...app, frida: true }, {}, "review"],
    ["an event made on another site", {}, { origin_mismatch: true }, "review"],
    ["an automation tool", { bot: "bad" }, {}, "block"],
    ["an anti-detect browser", { tampering_details: { anti_detect_browser: true } }, {}, "block"],
    ["a replay", { replayed: true }, {}, "block"],
    ["a stolen event", {}, { reused: true, reused_elsewhere: true }, "block"],
    [
      "an emulator farm",
      {
        ...app,
        emulator: true,
        velocity: { distinct_linked_id: { "24_hours": 9 }, distinct_country: { "24_hours": 4 } },
      },
      {},
      "block",
    ],
  ])("answers %s as it should", (_, signals, checks, action) => {
    expect(ruleset.decide(inputOf({ ...customer, ...signals }, { checks })).action).toBe(action);
  });

  test("allows an event without any signal", () => {
    expect(ruleset.decide(inputOf({}))).toMatchObject({ action: "allow", score: 0, coverage: { judged: 1 } });
  });

  test("can judge every rule about the device of a browser", () => {
    const { unknown } = ruleset.decide(inputOf(customer));
    const signals = unknown.flatMap(({ missing }) => missing).filter((path) => !path.startsWith("checks."));
    expect(signals.filter((path) => !path.startsWith("velocity."))).toEqual([]);
  });

  test("gives every rule a message", () => {
    expect(text.match(/^ {4}message: /gm)).toHaveLength(ruleset.ruleIds.length);
  });

  test.each(words)("is refused when $word is misspelt at $end", ({ word, end }) => {
    const misspelt = `${text.slice(0, end)}q${text.slice(end)}`;
    const missing = `${text.slice(0, end - 1)}${text.slice(end)}`;
    const line = text.slice(0, end).split("\n").length;
    expect(faultsOf(misspelt)[0]).toMatchObject({ line, message: expect.stringContaining(word) });
    expect(faultsOf(missing)[0]).toMatchObject({ line });
  });
});
