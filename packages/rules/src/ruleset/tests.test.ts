import { describe, expect, test } from "vitest";
import { briefFaultsOf, rulesetOf } from "../../test/build.ts";

const RULESET = [
  "facts: { order_value: number, delivery: [parcel, digital], groups: list }",
  "counters: { logins: { key: identification.visitor_id, window: 24h } }",
  "thresholds: { challenge: 20 }",
  "rules:",
  "  - { id: bots, when: bot == 'bad', action: block }",
  "  - { id: hidden, when: vpn, score: 20, when_unknown: challenge }",
  "  - { id: busy, when: velocity.distinct_ip.5_minutes > 2, score: 5 }",
  "  - { id: tried, when: proxy, score: 50, mode: shadow }",
  "  - { id: ordered, when: facts.order_value > 10 && facts.delivery == 'digital', score: 1 }",
  "  - { id: counted, when: counters.logins > 2, score: 2 }",
  "  - { id: mismatched, when: checks.ip_mismatch && context.flow == 'login', score: 3 }",
  "  - { id: labelled, when: 'labels.exists(l, l.label == \"a\" && l.prediction)', score: 4 }",
  "  - { id: grouped, when: '\"vip\" in facts.groups', score: 6 }",
  "  - { id: fresh, when: age(identification.first_seen_at) < 60, score: 7 }",
  "tests:",
];

const resultOf = (given: string, expected: string) => {
  const [result] = rulesetOf(...RULESET, `  - { name: it, ${given}, expect: ${expected} }`).runTests();
  return result?.differences;
};

describe("runTests", () => {
  test.each([
    ["given: { bot: bad, vpn: false }", "{ action: block, score: 0, rules: [bots] }"],
    ["given: { velocity.distinct_ip.5_minutes: 3 }", "{ rules: [busy] }"],
    ["given: { velocity: { distinct_ip: { 5_minutes: 3 } } }", "{ rules: [busy] }"],
    ["given: { velocity: { distinct_ip.5_minutes: 3 } }", "{ rules: [busy] }"],
    ["facts: { order_value: 11, delivery: digital }", "{ rules: [ordered] }"],
    ["given: { facts.order_value: 11, facts: { delivery: digital } }", "{ rules: [ordered] }"],
    ["counters: { logins: 3 }", "{ rules: [counted] }"],
    ["given: { counters.logins: 3 }", "{ rules: [counted] }"],
    ["checks: { ip_mismatch: true }, context: { flow: login }", "{ rules: [mismatched] }"],
    ["given: { checks.ip_mismatch: true, context.flow: login }", "{ rules: [mismatched] }"],
    ["given: { labels: [{ label: b }, { label: a, prediction: true }] }", "{ rules: [labelled] }"],
    ["facts: { groups: [new, vip] }", "{ rules: [grouped] }"],
    ["given: { timestamp: 1700000050000, identification.first_seen_at: 1700000000000 }", "{ rules: [fresh] }"],
    ["given: { timestamp: 1700000060000, identification.first_seen_at: 1700000000000 }", "{ rules: [] }"],
    ["given: { vpn: true, bot: bad }", "{ rules: [hidden, bots], score: 20 }"],
    ["given: { vpn: true, bot: bad }", "{ rules: [bots, hidden] }"],
    ["given: { proxy: true, vpn: false }", "{ action: allow, score: 0, rules: [], shadow: [tried] }"],
    ["checks: { stale: true }, given: { vpn: false }", "{ action: challenge, rules: [] }"],
  ])("passes %s expecting %s", (given, expected) => {
    expect(resultOf(given, expected)).toEqual([]);
  });

  test.each([
    ["given: { bot: good, vpn: true }", "{ action: block }", ["action: expected block, came challenge"]],
    ["given: { vpn: true }", "{ score: 10 }", ["score: expected 10, came 20"]],
    ["given: { vpn: true }", "{ rules: [] }", ["rules: expected none, came hidden"]],
    ["given: { vpn: false, proxy: true }", "{ shadow: [] }", ["shadow: expected none, came tried"]],
    [
      "given: { vpn: true }",
      "{ rules: [hidden, bots] }",
      ["rules: expected bots, hidden, came hidden", "bots cannot be judged without bot"],
    ],
    [
      "given: { bot: bad }",
      "{ unknown: [], action: allow }",
      [
        "action: expected allow, came block",
        "unknown: expected none, came busy, counted, fresh, grouped, hidden, labelled, mismatched, ordered",
      ],
    ],
  ])("tells how %s differs from %s", (given, expected, differences) => {
    expect(resultOf(given, expected)).toEqual(differences);
  });

  test("leaves what is not given unknown, and a rule that acts on that is no hit", () => {
    expect(resultOf("given: { bot: good }", "{ action: challenge, rules: [] }")).toEqual([]);
  });

  test("expects of an observing ruleset what it would do", () => {
    const [result] = rulesetOf(
      "mode: observe",
      "rules: [{ id: a, when: vpn, action: block }]",
      "tests: [{ name: it, given: { vpn: true }, expect: { action: block } }]",
    ).runTests();
    expect(result).toMatchObject({ name: "it", passed: true, file: "test.yaml", line: 4 });
  });

  test("gives the same results on any day", () => {
    expect(rulesetOf(...RULESET, "  - { name: it, expect: { rules: [] } }").runTests()).toEqual(
      rulesetOf(...RULESET, "  - { name: it, expect: { rules: [] } }").runTests(),
    );
  });

  test("keeps tests out of the digest", () => {
    expect(rulesetOf(...RULESET, "  - { name: it, expect: { score: 3 } }").digest).toBe(rulesetOf(...RULESET).digest);
  });
});

// Faults are told where ~ stands.
const faultsAt = (line: string) => {
  const first = "  - { name: first, expect: { score: 0 } }";
  const text = ["ruleset: test", ...RULESET, first, line.replace("~", "")].join("\n");
  const place = `${RULESET.length + 3}:${line.indexOf("~") + 1} `;
  return briefFaultsOf(text)
    .filter((fault) => fault.startsWith(place))
    .join("\n");
};

describe("readTests", () => {
  test.each([
    ["given: { ~bto: bad }", "bto is not a known name. Did you mean bot?"],
    ["given: { bot: ~bda }", 'bot is never "bda"; it is one of "bad", "good", "not_detected". Did you mean "bad"?'],
    ["given: { vpn: ~yes }", "vpn is true or false."],
    ["given: { velocity: { distinct_ip: { ~5_minute: 3 } } }", "Did you mean velocity.distinct_ip.5_minutes?"],
    ["given: { velocity: ~3 }", "velocity is a group of values."],
    ["given: { ~checks: true }", "checks holds several values. Give each by its name."],
    ["given: { suspect_score: ~'3' }", "suspect_score is a number."],
    ["given: { ip_address: ~3 }", "ip_address is a text. Put it in quotes."],
    ["checks: { use_count: ~-1 }", "checks.use_count is never below 0."],
    ["given: { counters.logins: ~1001 }", "counters.logins is never above 1000."],
    ["given: { ~vpn: }", "vpn has no value. Leave out what is absent."],
    ["given: { labels: [{ ~labl: a }] }", "labels[].labl is not a known name. Did you mean labels[].label?"],
    ["given: { labels: [{ prediction: ~1 }] }", "labels[].prediction is true or false."],
    ["given: { vpn: true, ~vpn.x: 1 }", "vpn.x is not a known name."],
    ["given: { ip_info: { v4: {} }, ip_info.v4: ~{} }", "ip_info.v4 is given twice."],
    ["facts: { ~order_valu: 1 }", "facts.order_valu is not a known name. Did you mean facts.order_value?"],
    ["facts: { delivery: ~drone }", 'facts.delivery is never "drone"; it is one of "parcel", "digital".'],
    ["facts: { groups: [~1] }", "facts.groups[] is a text."],
    ["counters: { ~x_unheard_of: 1 }", "Declare it under counters."],
    ["checks: { ~reusd: true }", "checks.reusd is not a known name. Did you mean checks.reused?"],
    ["context: { flow: ~Log In }", "context.flow"],
    ["context: { ip: ~10.0.0.1 }", "A private address is never judged."],
    ["context: { origin: ~shop.example }", "This is no origin."],
    ["given: { context.flow: a }, context: { flow: ~b }", "context.flow is given twice."],
    ["~gven: {}", "gven is not known in a test. Did you mean given?"],
  ])("refuses %s", (given, fault) => {
    expect(faultsAt(`  - { name: it, ${given}, expect: { score: 0 } }`)).toContain(fault);
  });

  test.each([
    ["{ name: it, expect: { rules: [~botz] } }", "There is no rule botz. Did you mean bots?"],
    ["{ name: it, expect: { shadow: [~x_unheard_of] } }", "There is no rule x_unheard_of."],
    ["{ name: it, expect: { unknown: [~hiden] } }", "There is no rule hiden. Did you mean hidden?"],
    ["{ name: it, expect: { action: ~blok } }", "action must be one of"],
    ["{ name: it, expect: { score: ~-1 } }", "score must be a number from 0"],
    ["{ name: it, ~expect: {} }", "A test must expect something: action, score, rules, shadow, unknown."],
    ["~{ name: it }", "A test must expect something"],
    ["{ name: it, expect: { ~acton: block } }", "acton is not known in expect. Did you mean action?"],
    ["~{ expect: { score: 0 } }", "A test needs a name"],
    ["{ name: ~first, expect: { score: 0 } }", "The test first is defined twice"],
  ])("refuses %s", (line, fault) => {
    expect(faultsAt(`  - ${line}`)).toContain(fault);
  });
});
