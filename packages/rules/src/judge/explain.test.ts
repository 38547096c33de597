import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inputOf, rulesetOf, rulesetWith } from "../../test/build.ts";
import type { ClauseExplanation } from "../index.ts";

function explanationOf(condition: string, signals: Record<string, unknown>) {
  const [rule] = rulesetWith(condition).explain(inputOf(signals));
  if (rule === undefined) throw new Error("There is a rule.");
  return rule;
}

// `text = result`, with what it is made of indented below it.
function linesOf({ text, result, clauses }: ClauseExplanation, indent = ""): string[] {
  return [`${indent}${text} = ${result}`, ...clauses.flatMap((clause) => linesOf(clause, `${indent}  `))];
}

describe("explain", () => {
  test("shows each clause as it is written, with its result", () => {
    const { when } = explanationOf(
      "(vpn && vpn_confidence != 'low'  || proxy) && !(suspect || tampering) && !emulator",
      {
        vpn: true,
        vpn_confidence: "low",
        suspect: true,
      },
    );
    expect(linesOf(when)).toEqual([
      "(vpn && vpn_confidence != 'low'  || proxy) && !(suspect || tampering) && !emulator = false",
      "  vpn && vpn_confidence != 'low'  || proxy = unknown",
      "    vpn && vpn_confidence != 'low' = false",
      "      vpn = true",
      "      vpn_confidence != 'low' = false",
      "    proxy = unknown",
      "  !(suspect || tampering) = false",
      "    suspect || tampering = true",
      "      suspect = true",
      "      tampering = unknown",
      "  !emulator = unknown",
    ]);
  });

  test("shows the values of the names in a clause, absent ones too, once", () => {
    const { when } = explanationOf("velocity.distinct_ip.5_minutes + suspect_score > 3 || has(bot)", {
      suspect_score: 2,
    });
    expect(when.values).toEqual({});
    expect(when.clauses.map(({ values }) => values)).toEqual([
      { "velocity.distinct_ip.5_minutes": undefined, suspect_score: 2 },
      { "has(bot)": false },
    ]);
  });

  test.each([
    [{ vpn: true }, "hit", []],
    [{ vpn: false }, "missed", []],
    [{}, "unknown", ["vpn"]],
  ])("says of %j: %s", (signals, result, missing) => {
    expect(explanationOf("vpn", signals)).toMatchObject({ rule: "it", mode: "live", action: "block", result, missing });
  });

  test("explains rules of every mode, in the order of the file", () => {
    const rules = rulesetOf(
      "rules:",
      "  - { id: z, when: vpn, score: 1, message: Hidden }",
      "  - { id: b, when: vpn, score: 1, mode: 'off' }",
      "  - { id: a, when: vpn, except: proxy, score: 1, mode: shadow, rollout: 100% }",
      "  - { id: c, when: vpn, score: 1, rollout: 0% }",
    ).explain(inputOf({ vpn: true, proxy: true, identification: { visitor_id: "v" } }));
    expect(rules.map(({ rule, mode, result, rolledOut }) => [rule, mode, result, rolledOut])).toEqual([
      ["z", "live", "hit", undefined],
      ["b", "off", "off", undefined],
      ["a", "shadow", "missed", true],
      ["c", "live", "hit", false],
    ]);
    expect(rules[0]).toMatchObject({ score: 1, message: "Hidden" });
    expect(rules[2]?.except).toEqual({ text: "proxy", result: true, values: { proxy: true }, clauses: [] });
  });

  test("agrees with the decision on what hits and what is unknown", () => {
    const ruleset = rulesetOf(
      "rules:",
      "  - { id: a, when: vpn || proxy, except: suspect, score: 1 }",
      "  - { id: b, when: '!(vpn && suspect)', score: 1 }",
      "  - { id: c, when: 'bot == \"bad\" ? vpn : proxy', score: 1 }",
    );
    const signals = fc.record(
      { vpn: fc.boolean(), proxy: fc.boolean(), suspect: fc.boolean(), bot: fc.constantFrom("bad", "good") },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(signals, (event) => {
        const decision = ruleset.decide(inputOf(event));
        const explained = ruleset.explain(inputOf(event));
        const of = (result: string) => explained.filter((rule) => rule.result === result);
        expect(of("hit").map(({ rule }) => rule)).toEqual(decision.reasons.map(({ rule }) => rule));
        const unknown = of("unknown").map(({ rule, missing }) => ({ rule, missing }));
        expect(unknown).toEqual(decision.unknown);
      }),
    );
  });
});
