import type { Slots, SlotValue } from "./slots.ts";

/** Path → value, or `has(path)` → false, for the clauses that decided. */
export type Evidence = Record<string, unknown>;

/**
 * A compiled expression, three-valued: undefined is unknown. `evaluate` is the fast path; the other two are only asked
 * about what came of it.
 */
export interface Term {
  readonly evaluate: (slots: Slots) => SlotValue | undefined;
  /** Adds the values that made the term what it is. Only for a term that is known. */
  readonly explain: (slots: Slots, evidence: Evidence) => void;
  /** Adds the paths whose absence makes the term unknown. Only for a term that is unknown. */
  readonly missing: (slots: Slots, paths: Set<string>) => void;
}
