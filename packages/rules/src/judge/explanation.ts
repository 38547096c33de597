import type { Action } from "@assay/protocol";

/** How one clause of a condition came out. */
export interface ClauseExplanation {
  /** As it is written in the ruleset. */
  readonly text: string;
  readonly result: boolean | "unknown";
  /**
   * The values of the names in it, as evidence shows them; an absent one is undefined. Empty when it joins clauses, which
   * show their own.
   */
  readonly values: Readonly<Record<string, unknown>>;
  /** The clauses it is made of, when it joins several or denies one that does. */
  readonly clauses: readonly ClauseExplanation[];
}

/** How one rule came out, for people. */
export interface RuleExplanation {
  readonly rule: string;
  readonly mode: "live" | "shadow" | "off";
  /** Whether the visitor is in the rule's share; absent when it has none. */
  readonly rolledOut?: boolean;
  readonly result: "hit" | "missed" | "unknown" | "off";
  readonly score?: number;
  readonly action?: Action;
  readonly message?: string;
  readonly missing: readonly string[];
  /** `when`, and `except` if there is one. */
  readonly when: ClauseExplanation;
  readonly except?: ClauseExplanation;
}
