import type { RuleHits } from "./rule-hits.ts";
import type { Tally } from "./tally.ts";

/** What one rule, or one part of integrity, does on each side; absent where it never fires and is always judged. */
export interface RuleChange {
  readonly ruleset: string;
  readonly rule: string;
  readonly old?: RuleFigures;
  readonly new?: RuleFigures;
}

export interface RuleFigures extends Readonly<RuleHits> {
  /** Of the labelled rows that it fires on, the share that is fraud; absent without any. */
  readonly precision?: number;
  /** Of all rows that are fraud, the share that it fires on; absent without any. */
  readonly recall?: number;
}

/** How many rows both fire on. */
export interface Overlap {
  readonly ruleset: string;
  readonly rules: readonly [string, string];
  readonly rows: number;
}

/** Every rule that fired on a row or could not be judged, on either side; those that fire most on the new side first. */
export function ruleChangesOf(tally: Tally, fraudRows: number): RuleChange[] {
  const names = new Set([...tally.old.rulesets.keys(), ...tally.new.rulesets.keys()]);
  const changes = [...names].flatMap((ruleset) => {
    const before = tally.old.rulesets.get(ruleset)?.hits.rules;
    const after = tally.new.rulesets.get(ruleset)?.hits.rules;
    const rules = new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])]);
    return [...rules].map((rule): RuleChange => {
      const [old, now] = [before?.get(rule), after?.get(rule)];
      return {
        ruleset,
        rule,
        ...(old === undefined ? {} : { old: figuresOf(old, fraudRows) }),
        ...(now === undefined ? {} : { new: figuresOf(now, fraudRows) }),
      };
    });
  });
  return changes.toSorted((a, b) => firedOn(b) - firedOn(a) || compare(a, b));
}

/** The pairs that fire together most often on the new side, at most `most`. */
export function overlapsOf(tally: Tally, most: number): Overlap[] {
  const overlaps = [...tally.new.rulesets].flatMap(([ruleset, { hits }]) =>
    [...hits.pairs].map(([pair, rows]): Overlap => {
      const [one = "", other = ""] = pair.split(" ");
      return { ruleset, rules: [one, other], rows };
    }),
  );
  return overlaps
    .toSorted(
      (a, b) => b.rows - a.rows || (`${a.ruleset} ${a.rules.join()}` < `${b.ruleset} ${b.rules.join()}` ? -1 : 1),
    )
    .slice(0, most);
}

function figuresOf(hits: RuleHits, fraudRows: number): RuleFigures {
  const { fraud, legit } = hits;
  return {
    ...hits,
    ...(fraud + legit === 0 ? {} : { precision: fraud / (fraud + legit) }),
    ...(fraudRows === 0 ? {} : { recall: fraud / fraudRows }),
  };
}

function firedOn({ old: before, new: after }: RuleChange): number {
  const figures = after ?? before;
  return (figures?.hits ?? 0) + (figures?.shadow ?? 0);
}

function compare(a: RuleChange, b: RuleChange): number {
  return `${a.ruleset} ${a.rule}` < `${b.ruleset} ${b.rule}` ? -1 : 1;
}
