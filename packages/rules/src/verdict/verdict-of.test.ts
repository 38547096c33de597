import { readFileSync } from "node:fs";
import { Verdict } from "@assay/protocol/schemas";
import { describe, expect, test } from "vitest";
import { loadRuleset } from "../ruleset.ts";
import { verdictDigest, verdictOf, type VerdictParts } from "./verdict-of.ts";

const ruleset = loadRuleset(readFileSync(new URL("../../../../rulesets/default.yaml", import.meta.url), "utf8"), {
  file: "default.yaml",
});
const event = { event_id: "1795000000000.abcdef", timestamp: 1_795_000_000_000, bot: "bad" };

function aVerdict(changes: Partial<VerdictParts> = {}) {
  const checks = { stale: false };
  const decision = ruleset.decide({ event, checks, context: {}, receivedAt: 1_795_000_001_000, kind: "sealed" });
  return verdictOf({
    work: { id: `s_${"a".repeat(26)}`, meta: { kind: "sealed" }, receivedAt: 1_795_000_001_000 },
    ruleset,
    decision,
    checks,
    sourced: { event, source: "sealed" },
    decidedAt: 1_795_000_002_000,
    ...changes,
  });
}

describe("verdictOf", () => {
  test("makes what the published schema describes", () => {
    expect(Verdict.parse(aVerdict())).toMatchObject({ action: "block", event_id: event.event_id });
  });

  test("leaves out what is not known", () => {
    expect(Object.values(aVerdict())).not.toContain(undefined);
    expect(aVerdict()).not.toHaveProperty("context");
  });

  test("says which submission it is a redrive of", () => {
    const work = { meta: { kind: "sealed" }, receivedAt: 1_795_000_001_000, tries: 1, retries: 0 } as const;
    const [id, redriven] = [`s_${"a".repeat(26)}`, `s_${"a".repeat(26)}~2`];
    expect(aVerdict({ work: { ...work, id } })).not.toHaveProperty("redrive_of");
    expect(Verdict.parse(aVerdict({ work: { ...work, id: redriven } })).redrive_of).toBe(`${id}~1`);
  });

  test("says that an event's clock is ahead", () => {
    expect(aVerdict({ checks: { event_age_seconds: -10.001 } }).degraded).toEqual(["clock_skew"]);
    expect(aVerdict({ checks: { event_age_seconds: -10 } })).not.toHaveProperty("degraded");
  });

  test("says which counters are young, beside a clock that is ahead", () => {
    expect(aVerdict({ checks: { event_age_seconds: -11 }, warming: ["seen", "signups"] }).degraded).toEqual([
      "clock_skew",
      "counter_warming:seen",
      "counter_warming:signups",
    ]);
    expect(aVerdict({ warming: [] })).not.toHaveProperty("degraded");
  });

  test("makes what the published schema describes of a candidate too", () => {
    const decision = ruleset.decide({ event, checks: {}, context: {}, receivedAt: 1_795_000_001_000, kind: "sealed" });
    const candidate = { ruleset, checks: {}, decision, warming: [] };
    const { name, digest, engine } = ruleset;
    expect(Verdict.parse(aVerdict({ candidate })).candidate).toEqual({
      ruleset: { name, digest, engine },
      action: "block",
      score: decision.score,
      rules: decision.reasons.map(({ rule }) => rule),
    });
  });

  test("tells why it is undecided, with the action the ruleset gives that", () => {
    const undecided = aVerdict({ decision: ruleset.undecided("no_key_opens"), undecided: "no_key_opens" });
    expect(undecided).toMatchObject({ action: "block", score: 0, reasons: [], undecided: { code: "no_key_opens" } });
  });
});

describe("verdictDigest", () => {
  test("is the same whenever it is decided", () => {
    expect(verdictDigest(aVerdict({ decidedAt: 5 }))).toBe(verdictDigest(aVerdict()));
  });

  test("differs with anything else", () => {
    expect(verdictDigest(aVerdict({ checks: { stale: true } }))).not.toBe(verdictDigest(aVerdict()));
  });
});
