import type { Comparison, Literal } from "./expression.ts";

/** The values that something can still take; absence is not one of them. */
export interface Domain {
  /** All of them, where they can be counted. */
  readonly only?: ReadonlySet<Literal>;
  readonly not: ReadonlySet<Literal>;
  /** Bounds of a number, and whether each bound is left out itself. */
  readonly least: number;
  readonly most: number;
  readonly isAbove: boolean;
  readonly isBelow: boolean;
}

/** Anything at all. */
export const ANY: Domain = {
  not: new Set(),
  least: Number.NEGATIVE_INFINITY,
  most: Number.POSITIVE_INFINITY,
  isAbove: false,
  isBelow: false,
};

/** Just these values. */
export function oneOf(values: Iterable<Literal>): Domain {
  return { ...ANY, only: new Set(values) };
}

/** All but these values. */
export function noneOf(values: Iterable<Literal>): Domain {
  return { ...ANY, not: new Set(values) };
}

/** What compares so with a literal. */
export function comparedWith(op: Comparison, literal: Literal): Domain {
  if (op === "==") return oneOf([literal]);
  if (op === "!=") return noneOf([literal]);
  if (typeof literal !== "number") return ANY;
  return op === "<" || op === "<="
    ? { ...ANY, most: literal, isBelow: op === "<" }
    : { ...ANY, least: literal, isAbove: op === ">" };
}

/** What is in both; the first itself when the second takes nothing from it. */
export function meet(a: Domain, b: Domain): Domain {
  if (a.only !== undefined) {
    const left = [...a.only].filter((value) => allows(b, value));
    return left.length === a.only.size ? a : oneOf(left);
  }
  if (b.only !== undefined) return oneOf([...b.only].filter((value) => allows(a, value)));
  const isBoundBelow = b.least > a.least || (b.least === a.least && b.isAbove && !a.isAbove);
  const isBoundAbove = b.most < a.most || (b.most === a.most && b.isBelow && !a.isBelow);
  const isWithout = [...b.not].some((value) => !a.not.has(value));
  if (!isBoundBelow && !isBoundAbove && !isWithout) return a;
  return {
    not: isWithout ? new Set([...a.not, ...b.not]) : a.not,
    ...(isBoundBelow ? { least: b.least, isAbove: b.isAbove } : { least: a.least, isAbove: a.isAbove }),
    ...(isBoundAbove ? { most: b.most, isBelow: b.isBelow } : { most: a.most, isBelow: a.isBelow }),
  };
}

/** All that is in either, and maybe more: a gap between two ranges is filled. */
export function join(a: Domain, b: Domain): Domain {
  if (a.only !== undefined && b.only !== undefined) return oneOf([...a.only, ...b.only]);
  const [first, second] = [ranged(a), ranged(b)];
  return {
    not: new Set([...a.not, ...b.not].filter((value) => !allows(a, value) && !allows(b, value))),
    least: Math.min(first.least, second.least),
    most: Math.max(first.most, second.most),
    isAbove: (first.isAbove || first.least > second.least) && (second.isAbove || second.least > first.least),
    isBelow: (first.isBelow || first.most < second.most) && (second.isBelow || second.most < first.most),
  };
}

/** Whether nothing is left. */
export function isEmpty({ only, not, least, most, isAbove, isBelow }: Domain): boolean {
  if (only !== undefined) return only.size === 0;
  return least > most || (least === most && (isAbove || isBelow || not.has(least)));
}

function allows({ only, not, least, most, isAbove, isBelow }: Domain, value: Literal): boolean {
  if (only !== undefined) return only.has(value);
  if (not.has(value)) return false;
  if (typeof value !== "number") return true;
  return (isAbove ? value > least : value >= least) && (isBelow ? value < most : value <= most);
}

// Counted numbers as the range that holds them.
function ranged(domain: Domain): Domain {
  const numbers = [...(domain.only ?? [])].filter((value) => typeof value === "number");
  if (domain.only === undefined || numbers.length < domain.only.size) return { ...domain };
  return { ...ANY, least: Math.min(...numbers), most: Math.max(...numbers) };
}
