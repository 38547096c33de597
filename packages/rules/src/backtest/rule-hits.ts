import type { Label } from "@assay/protocol";
import type { Decision } from "../judge/decision.ts";

/** What one rule, or one part of integrity, did to the rows of a ruleset. */
export interface RuleHits {
  /** Rows that it fired on, live. */
  hits: number;
  /** Of those: nothing else fired. */
  alone: number;
  /** Rows that it would have fired on, in shadow. */
  shadow: number;
  /** Rows on which it could not be judged. */
  unknown: number;
  /** Of all it fired on, live or in shadow, those that turned out so. */
  fraud: number;
  legit: number;
}

/** What fired on the rows of a ruleset. */
export interface Hits {
  readonly rules: Map<string, RuleHits>;
  /** Rows on which two fired, live, by `<one> <other>`, in the order of the alphabet. */
  readonly pairs: Map<string, number>;
}

export function emptyHits(): Hits {
  return { rules: new Map(), pairs: new Map() };
}

/** Counts what fired on a row. */
export function addHits(
  hits: Hits,
  { reasons, shadow, unknown, shadowUnknown }: Decision,
  label: Label | undefined,
): void {
  for (const { rule } of reasons) {
    const found = ruleIn(hits, rule);
    found.hits += 1;
    if (reasons.length === 1) found.alone += 1;
    addLabel(found, label);
  }
  for (const { rule } of shadow) {
    const found = ruleIn(hits, rule);
    found.shadow += 1;
    addLabel(found, label);
  }
  for (const { rule } of unknown) ruleIn(hits, rule).unknown += 1;
  for (const { rule } of shadowUnknown) ruleIn(hits, rule).unknown += 1;
  for (let one = 0; one < reasons.length; one++) {
    for (let other = one + 1; other < reasons.length; other++) {
      const [a = "", b = ""] = [reasons[one]?.rule, reasons[other]?.rule];
      const pair = a < b ? `${a} ${b}` : `${b} ${a}`;
      hits.pairs.set(pair, (hits.pairs.get(pair) ?? 0) + 1);
    }
  }
}

/** Adds what fired on other rows. */
export function mergeHits(into: Hits, from: Hits): void {
  for (const [rule, { hits, alone, shadow, unknown, fraud, legit }] of from.rules) {
    const found = ruleIn(into, rule);
    found.hits += hits;
    found.alone += alone;
    found.shadow += shadow;
    found.unknown += unknown;
    found.fraud += fraud;
    found.legit += legit;
  }
  for (const [pair, rows] of from.pairs) into.pairs.set(pair, (into.pairs.get(pair) ?? 0) + rows);
}

function addLabel(found: RuleHits, label: Label | undefined): void {
  if (label !== undefined) found[label] += 1;
}

function ruleIn({ rules }: Hits, rule: string): RuleHits {
  let found = rules.get(rule);
  if (found === undefined) {
    rules.set(rule, (found = { hits: 0, alone: 0, shadow: 0, unknown: 0, fraud: 0, legit: 0 }));
  }
  return found;
}
