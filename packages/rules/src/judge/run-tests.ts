import type { Input } from "../condition/input.ts";
import type { RulesetTest } from "../ruleset/tests.ts";
import type { Expected } from "../ruleset/tests-expect.ts";
import type { Decision } from "./decision.ts";

/** How one test of a ruleset came out. */
export interface RulesetTestResult {
  readonly name: string;
  readonly passed: boolean;
  /** What was expected and what came, one line each; empty when it passed. */
  readonly differences: readonly string[];
  readonly file: string;
  readonly line: number;
}

/** Runs a ruleset's own tests, in the order of its files. */
export function runTests(tests: readonly RulesetTest[], decide: (input: Input) => Decision): RulesetTestResult[] {
  return tests.map(({ name, input, expected, file, line }) => {
    const differences = differencesOf(expected, decide(input));
    return { name, passed: differences.length === 0, differences, file, line };
  });
}

function differencesOf(expected: Expected, decision: Decision): string[] {
  const came: Required<Expected> = {
    action: decision.wouldBe ?? decision.action,
    score: decision.score,
    rules: hitsOf(decision.reasons, decision.unknown),
    shadow: hitsOf(decision.shadow, decision.shadowUnknown),
    unknown: decision.unknown.map(({ rule }) => rule),
  };
  const isExpected = (rule: string) => (expected.rules?.includes(rule) || expected.shadow?.includes(rule)) ?? false;
  return [
    ...difference("action", expected.action, came.action),
    ...difference("score", expected.score, came.score),
    ...difference("rules", ids(expected.rules), ids(came.rules)),
    ...difference("shadow", ids(expected.shadow), ids(came.shadow)),
    ...difference("unknown", ids(expected.unknown), ids(came.unknown)),
    ...[...decision.unknown, ...decision.shadowUnknown]
      .filter(({ rule }) => isExpected(rule))
      .map(({ rule, missing }) => `${rule} cannot be judged without ${missing.join(", ")}`),
  ];
}

function difference(what: string, expected: string | number | undefined, came: string | number | undefined): string[] {
  return expected === undefined || expected === came ? [] : [`${what}: expected ${expected}, came ${came}`];
}

// Integrity is no rule, and a rule that could not be judged did not hit, whatever action it took for that.
function hitsOf(reasons: Decision["reasons"], unknown: Decision["unknown"]): string[] {
  return reasons
    .map(({ rule }) => rule)
    .filter((id) => !id.startsWith("integrity.") && !unknown.some(({ rule }) => rule === id));
}

function ids(rules: readonly string[] | undefined): string | undefined {
  return rules && (rules.toSorted().join(", ") || "none");
}
