import { type CheckName, EVENT_FIELDS, type Kind, UNDECIDED_CODES } from "@assay/protocol";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inputOf, rulesetOf } from "../../test/build.ts";

const RULES = [
  "  - { id: bots, when: bot == 'bad', action: block, message: A bot }",
  "  - { id: friends, when: identification.visitor_id == 'friend', action: allow }",
  "  - { id: vpn, when: vpn, score: 20 }",
  "  - { id: proxy, when: proxy, score: 40, message: A proxy }",
  "  - { id: known, when: suspect, score: -30 }",
  "  - { id: emulator, when: emulator, score: 10, when_unknown: challenge }",
  "  - { id: large, when: facts.order_value > 100 && facts.delivery == 'digital', action: review }",
];
const LINES = [
  "facts: { order_value: number, delivery: [parcel, digital], member: boolean, note: string }",
  "thresholds: { challenge: 20, review: 40, block: 60 }",
  "expose: [suspect_score, ip_info.v4.geolocation.country_code]",
  "rules:",
];
const ruleset = rulesetOf(...LINES, ...RULES);
const android = { emulator: false };

describe("decide", () => {
  test("gives every hit its action, score, message and evidence, most severe first", () => {
    const decision = ruleset.decide(inputOf({ ...android, vpn: true, proxy: true, bot: "bad" }));
    expect(decision.reasons).toEqual([
      { rule: "bots", action: "block", message: "A bot", evidence: { bot: "bad" } },
      { rule: "proxy", score: 40, message: "A proxy", evidence: { proxy: true } },
      { rule: "vpn", score: 20, evidence: { vpn: true } },
    ]);
  });

  test.each([
    [{ vpn: false }, 0, "allow"],
    [{ vpn: true }, 20, "challenge"],
    [{ proxy: true }, 40, "review"],
    [{ proxy: true, vpn: true }, 60, "block"],
    [{ proxy: true, suspect: true }, 10, "allow"],
    [{ suspect: true }, 0, "allow"],
    [{ vpn: true, bot: "bad" }, 20, "block"],
    [{ bot: "bad", identification: { visitor_id: "friend" } }, 0, "allow"],
  ])("sums %j to %d and takes %s", (signals, score, action) => {
    expect(ruleset.decide(inputOf({ ...android, ...signals }))).toMatchObject({ score, action });
  });

  test("adds fractions as written", () => {
    const fractions = rulesetOf(
      "thresholds: { block: 3.3 }",
      "rules: [{ id: a, when: vpn, score: 1.1 }, { id: b, when: vpn, score: 2.2 }]",
    );
    expect(fractions.decide(inputOf({ vpn: true }))).toMatchObject({ score: 3.3, action: "block" });
  });

  test("names the rules it could not judge, what they lack, and how many it could", () => {
    const decision = ruleset.decide(inputOf({ ...android, vpn: false, bot: "good" }));
    expect(decision.unknown).toContainEqual({ rule: "large", missing: ["facts.order_value", "facts.delivery"] });
    expect(decision.coverage).toEqual({ rules: 7, judged: 3 });
  });

  test("takes the action for an unknown condition, without its score", () => {
    const decision = ruleset.decide(inputOf({}));
    expect(decision).toMatchObject({ action: "challenge", score: 0 });
    expect(decision.reasons).toEqual([{ rule: "emulator", action: "challenge", evidence: {} }]);
    expect(decision.unknown).toContainEqual({ rule: "emulator", missing: ["emulator"] });
  });

  test("reads declared facts and ignores others", () => {
    const context = { facts: { order_value: 101, delivery: "digital", undeclared: 1 } };
    const decision = ruleset.decide(inputOf(android, { context }));
    expect(decision).toMatchObject({ action: "review", invalidFacts: [] });
    expect(decision.reasons[0]?.evidence).toEqual({ "facts.order_value": 101, "facts.delivery": "digital" });
  });

  test("treats a fact that does not fit its type as absent, and says so", () => {
    const context = { facts: { order_value: "101", delivery: "drone", member: "yes", note: ["x"] } };
    const decision = ruleset.decide(inputOf(android, { context }));
    expect(decision.invalidFacts).toEqual(["order_value", "delivery", "member", "note"]);
    expect(decision.unknown).toContainEqual({ rule: "large", missing: ["facts.order_value", "facts.delivery"] });
  });

  test("exposes the signals it is asked to, where they are present", () => {
    expect(ruleset.decide(inputOf({ suspect_score: 3 })).signals).toEqual({ suspect_score: 3 });
    expect(rulesetOf().decide(inputOf({ suspect_score: 3 }))).not.toHaveProperty("signals");
  });

  test("allows in observe mode and says what it would have done", () => {
    const observing = rulesetOf("mode: observe", ...LINES, ...RULES);
    expect(observing.decide(inputOf({ bot: "bad" }))).toMatchObject({ action: "allow", wouldBe: "block" });
    expect(observing.undecided("internal_error")).toMatchObject({ action: "allow", wouldBe: "review" });
    expect(ruleset.decide(inputOf({ bot: "bad" }))).not.toHaveProperty("wouldBe");
  });

  test("does not change its input", () => {
    const input = inputOf({ vpn: true, ip_info: { v4: {} } }, { context: { facts: { order_value: 1 } } });
    const before = structuredClone(input);
    ruleset.decide(input);
    expect(input).toEqual(before);
  });
});

describe("judgeIntegrity", () => {
  test.each<[CheckName, string]>([
    ["reused_elsewhere", "block"],
    ["event_id_mismatch", "block"],
    ["environment_not_allowed", "block"],
    ["reused", "challenge"],
    ["stale", "challenge"],
    ["ip_mismatch", "allow"],
    ["partial", "allow"],
  ])("takes %s for %s in every ruleset", (check, action) => {
    expect(rulesetOf().decide(inputOf({}, { checks: { [check]: true } })).action).toBe(action);
    expect(rulesetOf().decide(inputOf({}, { checks: { [check]: false } })).action).toBe("allow");
  });

  test("blocks what Fingerprint calls replayed", () => {
    const { action, reasons } = rulesetOf().decide(inputOf({ replayed: true }));
    expect(action).toBe("block");
    expect(reasons).toEqual([
      expect.objectContaining({ rule: "integrity.replayed", action: "block", evidence: { replayed: true } }),
    ]);
    expect(rulesetOf().decide(inputOf({ replayed: "true" })).action).toBe("allow");
  });

  test("takes the ruleset's own action, and nothing for an entry that is off", () => {
    const own = rulesetOf("integrity: { stale: off, partial: review }");
    const { action, reasons } = own.decide(inputOf({}, { checks: { stale: true, partial: true } }));
    expect(action).toBe("review");
    expect(reasons).toEqual([
      expect.objectContaining({ rule: "integrity.partial", evidence: { "checks.partial": true } }),
    ]);
  });

  test("is not lowered by a rule that allows", () => {
    const input = inputOf({ ...android, identification: { visitor_id: "friend" } }, { checks: { stale: true } });
    expect(ruleset.decide(input).action).toBe("challenge");
  });
});

describe("undecided", () => {
  test.each(UNDECIDED_CODES)("reviews %s unless the ruleset says otherwise, with nothing judged", (code) => {
    expect(ruleset.undecided(code)).toEqual({
      action: "review",
      score: 0,
      reasons: [],
      shadow: [],
      shadowUnknown: [],
      unknown: [],
      coverage: { rules: 7, judged: 0 },
      invalidFacts: [],
    });
  });

  test("takes the action for its code, else the ruleset's default", () => {
    const own = rulesetOf("undecided: { default: challenge, no_key_opens: block }");
    expect(own.undecided("no_key_opens").action).toBe("block");
    expect(own.undecided("too_short").action).toBe("challenge");
  });
});

const roots = [...new Set(Object.keys(EVENT_FIELDS).map((path) => path.split(".")[0] ?? ""))];
const anyEvent = fc.dictionary(fc.constantFrom(...roots), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 20 });
const anyChecks = fc.record({ stale: fc.boolean(), reused: fc.boolean(), partial: fc.boolean() }, { requiredKeys: [] });
const fact = fc.oneof(fc.boolean(), fc.double(), fc.constantFrom("digital", "x"), fc.array(fc.string()));
const anyFacts = fc.dictionary(fc.constantFrom("order_value", "delivery", "member", "constructor", "__proto__"), fact);
const plausibleEvent = fc.record(
  {
    vpn: fc.boolean(),
    proxy: fc.boolean(),
    suspect: fc.boolean(),
    emulator: fc.boolean(),
    replayed: fc.boolean(),
    bot: fc.constantFrom("bad", "good"),
    identification: fc.record({ visitor_id: fc.constantFrom("friend", "other") }),
  },
  { requiredKeys: [] },
);

describe("a decision", () => {
  test("does not depend on the order of the rules, and neither does the digest", () => {
    const twins = ["  - { id: b, when: vpn, score: 5 }", "  - { id: a, when: vpn, score: 5 }"];
    const all = [...RULES, ...twins];
    const inOrder = rulesetOf(...LINES, ...all);
    fc.assert(
      fc.property(
        fc.shuffledSubarray(all, { minLength: all.length }),
        plausibleEvent,
        anyChecks,
        (rules, event, checks) => {
          const shuffled = rulesetOf(...LINES, ...rules);
          const input = inputOf(event, { checks });
          expect(shuffled.decide(input)).toEqual(inOrder.decide(input));
          expect(shuffled.digest).toBe(inOrder.digest);
        },
      ),
    );
  });

  test("is made for any event, and is the same each time", () => {
    // Every field of the catalogue is looked at, whatever stands in its place.
    const all = Object.keys(EVENT_FIELDS).map((path, index) => `  - { id: r${index}, when: has(${path}), score: 1 }`);
    const curious = rulesetOf("facts: { order_value: number, delivery: [digital], member: boolean }", "rules:", ...all);
    fc.assert(
      fc.property(anyEvent, anyFacts, fc.constantFrom<Kind>("sealed", "webhook"), (event, facts, kind) => {
        const input = { ...inputOf(event, { context: { facts } }), kind };
        const decision = curious.decide(input);
        expect(curious.decide(structuredClone(input))).toEqual(decision);
        expect(JSON.stringify(decision)).toBeDefined();
      }),
    );
  });
});
