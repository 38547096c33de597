import { describe, expect, test } from "vitest";
import { briefFaultsOf, faultsOf, rulesetOf } from "../../test/build.ts";

const RULE = "rules:\n  - id: it\n    when: vpn\n    action: block\n";

describe("readContent", () => {
  test.each([
    ["mod: observe", "2:1 mod is not known in a ruleset. Did you mean mode?"],
    ["mode: observ", "2:7 mode must be one of enforce, observe. Did you mean observe?"],
    ["settings: { max_event_ag: 1s }", "2:13 max_event_ag is not known in settings. Did you mean max_event_age?"],
    ["settings: { max_event_age: 120 }", "2:28 max_event_age must be a time such as 500ms"],
    ["settings: { max_event_age: 0s }", "above 0 and at most 30d"],
    ["settings: { max_event_age: 31d }", "above 0 and at most 30d"],
    ["settings: { max_event_age_by_flow: { Check Out: 1s } }", "2:38 A flow is 1 to 64 characters"],
    ["settings: { event_use: twice }", "event_use must be one of per_flow, once."],
    ["settings: { allowed_origins: [https://shop.example/] }", "Did you mean https://shop.example?"],
    ["settings: { allowed_origins: ['https://*.shop.example'] }", "there are no wildcards here. Name each one."],
    ["settings: { allowed_apps: ['com.example.*'] }", "there are no wildcards here. Name each one."],
    ["settings: { allowed_origins: [shop.example] }", "Write it as https://shop.example."],
    ["settings: { allowed_origins: ['null'] }", "Write it as https://shop.example."],
    ["settings: { allowed_origins: [https://shop.example/cart] }", "Did you mean https://shop.example?"],
    ["settings: { allowed_origins: [https://shop.example.] }", "Did you mean https://shop.example?"],
    ["settings: { allowed_origins: ['https://shop.example:443'] }", "Did you mean https://shop.example?"],
    ["settings: { allowed_origins: [https://Shop.Example] }", "Did you mean https://shop.example?"],
    ["settings: { allowed_origins: [https://münchen.example] }", "Did you mean https://xn--mnchen-3ya.example?"],
    ["settings: { allowed_origins: ['capacitor://localhost/'] }", "Did you mean capacitor://localhost?"],
    ["settings: { allowed_apps: com.shop }", "2:27 allowed_apps must be a list."],
    ["settings: { allowed_apps: [1] }", "2:28 allowed_apps must be a list of texts."],
    [
      "facts: { amount: numbre }",
      "2:18 A fact is a number, string, boolean, list, or a list of the texts it may be. Did you mean number?",
    ],
    ["facts: { Amount: number }", "2:10 Amount cannot name a fact"],
    ["facts: { constructor: number }", "2:10 constructor cannot name a fact"],
    ["facts: { delivery: [] }", "2:20 delivery needs at least one allowed text."],
    ["thresholds: { blok: 80 }", "2:15 blok is not known in thresholds. Did you mean block?"],
    ["thresholds: { review: 50, block: 50 }", "2:34 block must be above review, which begins at 50."],
    ["thresholds: { review: 50, challenge: 60 }", "2:23 review must be above challenge, which begins at 60."],
    ["thresholds: { block: 0 }", "2:22 block must be a number from 1"],
    [
      "thresholds: { block: 80 }\nrules: [{ id: a, when: vpn, score: 60 }, { id: b, when: proxy, score: -30 }]",
      "2:22 thresholds.block: 80 can never be reached: all positive scores add up to 60.",
    ],
    ["candidate: test", "2:12 A ruleset cannot be its own candidate."],
    ["candidate: New Rules", "2:12 candidate must be the name of another ruleset"],
    ["integrity: { stael: block }", "2:14 stael is not known in integrity. Did you mean stale?"],
    ["integrity: { stale: allow }", "2:21 stale must be one of challenge, review, block, off."],
    ["undecided: { no_key_open: block }", "2:14 no_key_open is not known in undecided. Did you mean no_key_opens?"],
    [
      "undecided: { default: blok }",
      "2:23 default must be one of allow, challenge, review, block. Did you mean block?",
    ],
    ["expose: [suspect_scor]", "2:10 suspect_scor is not a signal. Did you mean suspect_score?"],
    ["expose: [checks.stale]", "2:10 checks.stale is not a signal."],
    ["expose: [vpn_methods]", "2:10 vpn_methods is a group of signals."],
    ["rules: { id: it }", "2:8 rules must be a list."],
    ["rules: [vpn]", "2:9 a rule must be a map of keys and values."],
    ["rules: [{ id: it, when: vpn }]", "2:9 A rule needs a score or an action, or both."],
    ["rules: [{ id: it, action: block }]", "2:9 A rule needs a condition: when."],
    ["rules: [{ when: vpn, action: block }]", "2:9 A rule needs an id."],
    ["rules: [{ id: It, when: vpn, action: block }]", "2:15 id must be 1 to 64 characters of a-z, 0-9, _ and -."],
    ["rules: [{ id: it, wen: vpn, action: block }]", "2:19 wen is not known in a rule. Did you mean when?"],
    ["rules: [{ id: it, when: vpn, score: 101 }]", "2:37 score must be a number from -100 to 100."],
    ["rules: [{ id: it, when: vpn, action: ban }]", "2:38 action must be one of allow, challenge, review, block."],
    [
      "rules: [{ id: it, when: vpn, score: 1, when_unknown: allow }]",
      "2:54 when_unknown must be one of skip, challenge, review, block.",
    ],
    ["rules: [{ id: it, when: vpn, score: 1, message: 1 }]", "2:49 message must be one line"],
    [
      `${RULE}  - id: it\n    when: proxy\n    score: 1`,
      "6:9 The rule it is defined twice: here and at test.yaml:3:9.",
    ],
  ])("refuses %j", (text, fault) => {
    expect(briefFaultsOf(`ruleset: test\n${text}\n`).join("\n")).toContain(fault);
  });

  test("reaches a threshold by scores that add up to it as written", () => {
    const rules = [0.7, 0.1, 0.3].map((score, index) => `{ id: r${index}, when: vpn, score: ${score} }`);
    expect(briefFaultsOf(`ruleset: test\nthresholds: { block: 1.1 }\nrules: [${rules.join(", ")}]\n`)).toEqual([]);
  });

  test("asks no threshold to be reached while a rule cannot be read", () => {
    const text = "ruleset: test\nthresholds: { block: 80 }\nrules: [{ id: it, when: vpnn, score: 90 }]\n";
    expect(briefFaultsOf(text)).toEqual(["3:25 vpnn is not a known name. Did you mean vpn?"]);
  });

  test.each([["ruleset: My Rules"], ["ruleset:"], ["ruleset: 1"]])("refuses the name in %j", (text) => {
    expect(faultsOf(text)[0]?.message).toBe("ruleset must be 1 to 64 characters of a-z, 0-9, _ and -.");
  });

  test.each([
    ["", "This ruleset has no rules, so it allows what integrity does not stop."],
    [
      "rules: [{ id: it, when: vpn, score: 40 }]",
      "The score of it changes no action, as there are no thresholds. Write some, as in thresholds: { challenge: 30 }",
    ],
    ["rules: [{ id: it, when: vpn, score: 40, action: review }]", undefined],
    ["rules: [{ id: it, when: vpn, score: -5 }]", undefined],
    ["thresholds: { challenge: 30 }\nrules: [{ id: it, when: vpn, score: 40 }]", undefined],
  ])("warns of a ruleset that can do nothing: %j", (text, warning) => {
    expect(rulesetOf(text).warnings.map(({ message }) => message)).toEqual(warning === undefined ? [] : [warning]);
  });
});
