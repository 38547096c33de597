import {
  overlapsOf,
  type RuleChange,
  ruleChangesOf,
  type Overlap,
  type Summary,
  summaryOf,
  type Tally,
} from "@assay/rules/backtest";
import type { LeftOut } from "./backtest-rows.ts";
import type { BadLines } from "./bad-lines.ts";
import type { RulesetName } from "./batch-judge.ts";

/** All that a diff found, for whoever shows it. */
export interface Findings {
  readonly summary: Summary;
  readonly rules: readonly RuleChange[];
  readonly overlaps: readonly Overlap[];
  readonly bad: BadLines;
  readonly leftOut: LeftOut;
  readonly old: SideNamed;
  readonly new: SideNamed;
  /** Of `--fail-if`: the condition as written, and whether it holds. */
  readonly failIf?: { readonly condition: string; readonly holds: boolean };
}

/** A side, as the command line named it. */
export interface SideNamed {
  readonly path: string;
  readonly rulesets: readonly RulesetName[];
}

const MOST_OVERLAPS = 50;
/** The archive's default, as only the worker knows its own. */
const EVENTS_KEPT = "30 days, or ASSAY_EVENT_RETENTION_DAYS";

export function findingsOf(
  tally: Tally,
  unread: Pick<Findings, "bad" | "leftOut">,
  sides: Pick<Findings, "old" | "new">,
): Findings {
  const summary = summaryOf(tally);
  return {
    summary,
    rules: ruleChangesOf(tally, summary.labelled.fraud),
    overlaps: overlapsOf(tally, MOST_OVERLAPS),
    ...unread,
    ...sides,
  };
}

/** A rate as `12.34 %`; `-` where it is not known. */
export function percent(rate: number | undefined): string {
  return rate === undefined ? "-" : `${(100 * rate).toFixed(2)} %`;
}

/** A change of a rate in percentage points, with its sign. */
export function points(delta: number | undefined): string {
  return delta === undefined ? "-" : `${signed(100 * delta, (value) => value.toFixed(2))} pp`;
}

/** `1,234` */
export function whole(count: number): string {
  return count.toLocaleString("en-US");
}

/** `+1,234`, `±0` */
export function change(before: number, after: number): string {
  return signed(after - before, whole);
}

function signed(value: number, show: (value: number) => string): string {
  const text = show(Math.abs(value));
  if (!/[1-9]/.test(text)) return `±${text}`;
  return value < 0 ? `−${text}` : `+${text}`;
}

/** How a rule is called where there are several rulesets. */
export function nameOf({ ruleset, rule }: { ruleset: string; rule: string }, isOne: boolean): string {
  return isOne ? rule : `${ruleset}/${rule}`;
}

/** Whether all rules that did anything are of one ruleset. */
export function isOneRuleset(rules: readonly RuleChange[]): boolean {
  return new Set(rules.map(({ ruleset }) => ruleset)).size <= 1;
}

/** What a reader must know before he trusts the figures, one sentence each. */
export function caveatsOf({ summary, bad, leftOut }: Findings): string[] {
  const { rows, rowsWithoutChecks, old: before, new: after } = summary;
  const warming = new Map<string, number>();
  for (const { ruleset, counter, rows: count } of [...before.warming, ...after.warming]) {
    const name = `${ruleset}/${counter}`;
    warming.set(name, Math.max(warming.get(name) ?? 0, count));
  }
  return [
    ...(bad.count > 0 ? [`${whole(bad.count)} bad lines were left out, the first: line ${bad.first[0]?.line}.`] : []),
    ...(leftOut.undecided > 0
      ? [`Verdicts left out, as they were undecided and have no event: ${whole(leftOut.undecided)}.`]
      : []),
    ...(leftOut.expired > 0
      ? [`Verdicts left out, as their events are kept no longer than ${EVENTS_KEPT}: ${whole(leftOut.expired)}.`]
      : []),
    ...(rowsWithoutChecks > 0
      ? [`${whole(rowsWithoutChecks)} of ${whole(rows)} rows came without checks, which are unknown to them.`]
      : []),
    ...[...warming].map(([name, count]) => `The counter ${name} was younger than its window on ${whole(count)} rows.`),
    ...(before.undecided + after.undecided > 0
      ? [`Rows that name a ruleset which is not there: ${before.undecided} old, ${after.undecided} new.`]
      : []),
  ];
}
