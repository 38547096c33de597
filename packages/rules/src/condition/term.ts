import type { Slots, SlotValue } from "./slot-value.ts";

/** Path → value, or `has(path)` → false, for the clauses that decided. */
export type Evidence = Record<string, unknown>;

/** Takes the paths that are missing. */
interface Missing {
  add(path: string): unknown;
}

/** A field and its place. */
interface PlacedField {
  readonly path: string;
  readonly place: number;
}

/** A term, or a part of one, is false where this place holds this value. */
export interface Flag {
  readonly place: number;
  readonly falseValue: boolean;
}

/**
 * A compiled expression, three-valued: undefined is unknown. `evaluate` is the fast path; the other two are only asked
 * about what came of it.
 */
export interface Term {
  readonly evaluate: (slots: Slots) => SlotValue | undefined;
  /** Adds the values that made the term what it is. Only for a term that is known. */
  readonly explain: (slots: Slots, evidence: Evidence) => void;
  /** Adds the paths whose absence makes the term unknown. Only for a term that is unknown. */
  readonly missing: (slots: Slots, paths: Missing) => void;
  /** The only field of a simple term, which is unknown where that is absent, and explained by its value. */
  readonly field?: PlacedField | undefined;
  /** Of a boolean field, or one that is denied: what can be looked at instead of a call. */
  readonly flag?: Flag | undefined;
  /** A flag that alone can make the term false, if there is one. */
  readonly falseBy?: Flag | undefined;
}
