import type { Action, Reason } from "@assay/protocol";

/** A rule that could not be judged, and the names whose absence mattered. */
export interface UnknownRule {
  rule: string;
  missing: string[];
}

/** What a ruleset says about one input. */
export interface Decision {
  action: Action;
  /** Sum of the scores of the rules that hit, floored at 0. */
  score: number;
  /** What fired: integrity first, then rules, most severe first. */
  reasons: Reason[];
  /** Rules in shadow, and rules this visitor's share has not reached, that would have fired. They change nothing else. */
  shadow: Reason[];
  /** Rules in shadow that could not be judged; not part of `unknown` and `coverage`. */
  shadowUnknown: UnknownRule[];
  unknown: UnknownRule[];
  /** How many rules there are, and how many came out true or false. */
  coverage: { rules: number; judged: number };
  /** The exposed signals that are present; absent when the ruleset exposes none. */
  signals?: Record<string, unknown>;
  /** In observe mode: the action that enforce mode would have taken. */
  wouldBe?: Action;
  /** Declared facts whose value does not fit their type. They were treated as absent. */
  invalidFacts: string[];
}
