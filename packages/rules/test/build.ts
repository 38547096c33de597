import type { Checks, Context, Event } from "@assay/protocol";
import { type Input, loadRuleset, type Ruleset, RulesetError, type RulesetFault } from "../src/index.ts";

/** A ruleset with these lines below its name. */
export function rulesetOf(...lines: string[]): Ruleset {
  return loadRuleset(["ruleset: test", ...lines].join("\n"), { file: "test.yaml" });
}

/** A ruleset whose only rule, `it`, blocks on a condition. */
export function rulesetWith(condition: string): Ruleset {
  return rulesetOf("rules:", "  - id: it", "    when: >-", `      ${condition}`, "    action: block");
}

/** An input whose event carries these signals. */
export function inputOf(signals: Record<string, unknown>, said: { checks?: Checks; context?: Context } = {}): Input {
  const event: Event = { event_id: "1708102555327.NLOjmg", timestamp: 1_708_102_555_327, ...signals };
  return {
    event,
    checks: said.checks ?? {},
    context: said.context ?? {},
    receivedAt: 1_708_102_556_000,
    kind: "sealed",
  };
}

/** What a condition comes to: its rule hits, does not, or is unknown. */
export function outcomeOf(ruleset: Ruleset, input: Input): true | false | "unknown" {
  const decision = ruleset.decide(input);
  if (decision.unknown.length > 0) return "unknown";
  return decision.reasons.length > 0;
}

/** The faults of a text, with other files of its folder; none when it loads. */
export function faultsOf(text: string, files: Record<string, string> = {}): readonly RulesetFault[] {
  try {
    loadRuleset(text, { file: "test.yaml", files: new Map(Object.entries(files)) });
    return [];
  } catch (error) {
    if (error instanceof RulesetError) return error.faults;
    throw error;
  }
}

/** Each fault as `line:column message`. */
export function briefFaultsOf(text: string): string[] {
  return faultsOf(text).map(({ line, column, message }) => `${line}:${column} ${message}`);
}
