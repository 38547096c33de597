import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inputOf, rulesetOf } from "../../test/build.ts";
import type { Decision, Ruleset } from "../index.ts";

const CONDITIONS = ["vpn", "proxy", "!vpn && proxy", "suspect", "bot == 'bad'", "has(emulator)", "facts.amount > 10"];
// About other signals, since an exception that contradicts its rule does not load.
const EXCEPTIONS = ["tampering", "incognito && developer_tools", "has(bot_type)"];

const drafts = fc.array(
  fc.record(
    {
      when: fc.constantFrom(...CONDITIONS),
      except: fc.constantFrom(...EXCEPTIONS),
      score: fc.integer({ min: -100, max: 100 }),
      action: fc.constantFrom("allow", "challenge", "review", "block"),
      message: fc.constant("Said so"),
      when_unknown: fc.constantFrom("skip", "challenge", "block"),
      mode: fc.constantFrom("live", "shadow", "off"),
      rollout: fc.constantFrom("0%", "30%", "70%", "100%"),
    },
    { requiredKeys: ["when", "score"] },
  ),
  { minLength: 1, maxLength: 6 },
);
type Draft = typeof drafts extends fc.Arbitrary<(infer T)[]> ? T : never;

interface Named {
  id: string;
  when: string;
  [key: string]: string | number | undefined;
}

const inputs = fc
  .record(
    {
      vpn: fc.boolean(),
      proxy: fc.boolean(),
      suspect: fc.boolean(),
      emulator: fc.boolean(),
      tampering: fc.boolean(),
      incognito: fc.boolean(),
      developer_tools: fc.boolean(),
      bot_type: fc.constant("headless"),
      bot: fc.constantFrom("bad", "good"),
      replayed: fc.boolean(),
      identification: fc.record({ visitor_id: fc.string() }),
    },
    { requiredKeys: [] },
  )
  .map((event) => inputOf(event, { context: { facts: { amount: 11 } } }));

// Its sum reaches every threshold, whatever the other rules are.
const BASE: Named = { id: "base", when: "suspect", score: 100 };

function load(rules: readonly Named[]): Ruleset {
  return rulesetOf(
    "facts: { amount: number }",
    "thresholds: { challenge: 20, review: 40, block: 60 }",
    `rules: ${JSON.stringify([BASE, ...rules])}`,
  );
}

function named(rules: readonly Draft[]): Named[] {
  return rules.map((rule, index) => ({ ...rule, id: `rule_${index}` }));
}

// A decision without what rules in shadow say, which is no part of it.
function withoutShadow(decision: Decision): Omit<Decision, "shadow" | "shadowUnknown"> {
  const { shadow: _, shadowUnknown: __, ...rest } = decision;
  return rest;
}

describe("a rule in shadow or off", () => {
  test.each(["shadow", "off"] as const)("changes nothing of a decision when it is added: %s", (mode) => {
    fc.assert(
      fc.property(drafts, drafts, inputs, (live, added, input) => {
        const rules = named(live);
        const more = added.map((rule, index) => ({ ...rule, mode, id: `added_${index}` }));
        const decision = load([...rules, ...more]).decide(input);
        expect(withoutShadow(decision)).toEqual(withoutShadow(load(rules).decide(input)));
      }),
      { numRuns: 20 },
    );
  });

  test.each(["shadow", "off"] as const)("leaves what a decision is without it when it is switched to %s", (mode) => {
    fc.assert(
      fc.property(drafts, fc.nat(), inputs, (all, pick, input) => {
        const rules = named(all);
        const picked = pick % rules.length;
        const switched = rules.map((rule, index) => (index === picked ? { ...rule, mode } : rule));
        const removed = rules.filter((_, index) => index !== picked);
        expect(withoutShadow(load(switched).decide(input))).toEqual(withoutShadow(load(removed).decide(input)));
      }),
      { numRuns: 20 },
    );
  });

  test("tells in shadow what it tells when it is live", () => {
    fc.assert(
      fc.property(drafts, inputs, (all, input) => {
        const rules = named(all).map((rule) => {
          const { rollout: _, ...rest } = rule;
          return rest;
        });
        const live = load(rules.map((rule) => ({ ...rule, mode: "live" }))).decide(input);
        const shadow = load(rules.map((rule) => ({ ...rule, mode: "shadow" }))).decide(input);
        const own = ({ rule }: { rule: string }) => rule.startsWith("rule_");
        expect(shadow.shadow).toEqual(live.reasons.filter(own));
        expect(shadow.shadowUnknown).toEqual(live.unknown.filter(own));
      }),
      { numRuns: 20 },
    );
  });

  test("is told nowhere when it is off", () => {
    const decision = load([{ id: "it", when: "vpn || bot == 'bad'", score: 1, mode: "off" }]).decide(
      inputOf({ vpn: true }),
    );
    expect(decision).toMatchObject({ reasons: [], shadow: [], shadowUnknown: [], coverage: { rules: 1 } });
  });

  test("is in its place among rules of any order", () => {
    fc.assert(
      fc.property(drafts, fc.gen(), inputs, (all, gen, input) => {
        const rules = named(all);
        const shuffled = gen(fc.shuffledSubarray, rules, { minLength: rules.length });
        const [inOrder, inAnother] = [load(rules), load(shuffled)];
        expect(inAnother.decide(input)).toEqual(inOrder.decide(input));
        expect(inAnother.digest).toBe(inOrder.digest);
      }),
      { numRuns: 20 },
    );
  });
});

describe("a rule with a share", () => {
  const share = (rollout: string, mode = "live") => load([{ id: "it", when: "vpn", score: 30, rollout, mode }]);
  const visitor = (id: string) => inputOf({ vpn: true, identification: { visitor_id: id } });

  test("is live for the visitors in it, and in shadow for all others", () => {
    const ruleset = share("50%");
    const decisions = Array.from({ length: 50 }, (_, index) => ruleset.decide(visitor(`v${index}`)));
    const live = decisions.filter(({ score }) => score === 30);
    const shadowed = decisions.filter(({ shadow }) => shadow.length === 1);
    expect(live.length).toBeGreaterThan(0);
    expect(shadowed.length).toBeGreaterThan(0);
    expect(live.length + shadowed.length).toBe(50);
    for (const { coverage } of live) expect(coverage).toEqual({ rules: 2, judged: 1 });
    for (const { coverage } of shadowed) expect(coverage).toEqual({ rules: 1, judged: 0 });
  });

  test("is in shadow for whoever has no visitor id, even at 100%", () => {
    expect(share("100%").decide(inputOf({ vpn: true }))).toMatchObject({ score: 0, shadow: [{ rule: "it" }] });
    expect(share("100%").undecided("internal_error").coverage.rules).toBe(1);
  });

  test("is live for nobody while it is in shadow", () => {
    expect(share("100%", "shadow").decide(visitor("a"))).toMatchObject({ score: 0, shadow: [{ rule: "it" }] });
  });
});

describe("except", () => {
  const ruleset = load([{ id: "it", when: "vpn", except: "proxy || suspect", score: 5, when_unknown: "challenge" }]);

  test.each([
    [{ vpn: true, proxy: false, suspect: false }, 5, 0],
    [{ vpn: true, proxy: true }, 0, 0],
    [{ vpn: false }, 0, 0],
    [{ vpn: true, proxy: false }, 0, 1],
    [{ proxy: false, suspect: false }, 0, 1],
  ])("of %j leaves score %d and %d unknown", (signals, score, unknown) => {
    const decision = ruleset.decide(inputOf(signals));
    expect(decision.score).toBe(score);
    expect(decision.unknown.filter(({ rule }) => rule === "it")).toHaveLength(unknown);
  });

  test("lets when_unknown decide when it is unknown, and names what is missing", () => {
    const decision = ruleset.decide(inputOf({ vpn: true, proxy: false }));
    expect(decision.action).toBe("challenge");
    expect(decision.unknown).toContainEqual({ rule: "it", missing: ["suspect"] });
  });

  test("is part of the evidence of a hit", () => {
    const decision = ruleset.decide(inputOf({ vpn: true, proxy: false, suspect: false }));
    expect(decision.reasons[0]?.evidence).toEqual({ vpn: true, proxy: false, suspect: false });
  });
});
