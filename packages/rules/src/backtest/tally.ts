import { type Action, ACTIONS, type Label } from "@assay/protocol";
import type { BacktestRow } from "./backtest-row.ts";
import type { RowJudgment, SideJudgment } from "./judge-row.ts";
import { addHits, emptyHits, type Hits, mergeHits } from "./rule-hits.ts";

/** A row that the sides answer differently. Holds no personal data but in `row`, which is there only if asked for. */
export interface Example {
  /** The place of the row among all. */
  readonly order: number;
  readonly event_id: string;
  readonly received_at: number;
  readonly flow?: string;
  readonly label?: Label;
  readonly old: ExampleSide;
  readonly new: ExampleSide;
  readonly visitor_id?: string;
  readonly context?: BacktestRow["context"];
}

interface ExampleSide {
  readonly score: number;
  /** What fired, most severe first; with the values that decided where personal data was asked for. */
  readonly rules: readonly { readonly rule: string; readonly evidence?: Readonly<Record<string, unknown>> }[];
}

/** What was counted of some rows. Plain data: it may cross threads, and tallies of parts add up to that of the whole. */
export interface Tally {
  /** Rows by label (fraud, legit, none), old action and new action: see `cellOf`. */
  readonly cells: number[];
  /** The first examples of each flip, by `<old action> <new action>`. */
  readonly examples: Map<string, Example[]>;
  readonly old: SideTally;
  readonly new: SideTally;
  rowsWithoutChecks: number;
  /** Unix ms; infinite without rows. */
  firstMs: number;
  lastMs: number;
}

export interface SideTally {
  /** Rows that name a ruleset which is not there. */
  undecided: number;
  /** By name of the ruleset. */
  readonly rulesets: Map<string, RulesetTally>;
}

interface RulesetTally {
  rows: number;
  readonly hits: Hits;
  /** Rows whose counter was younger than its window, by name of the counter. */
  readonly warming: Map<string, number>;
}

export interface TallyOptions {
  /** Most examples of each flip. */
  readonly examples: number;
  /** Whether examples show personal data. */
  readonly isPersonal: boolean;
}

const LABEL_PLACES = ["fraud", "legit", undefined] as const;

export function emptyTally(): Tally {
  const side = (): SideTally => ({ undecided: 0, rulesets: new Map() });
  const cells = Array.from({ length: LABEL_PLACES.length * ACTIONS.length ** 2 }, () => 0);
  return {
    cells,
    examples: new Map(),
    old: side(),
    new: side(),
    rowsWithoutChecks: 0,
    firstMs: Infinity,
    lastMs: -Infinity,
  };
}

/** The place in `cells` of rows with this label and these actions. */
export function cellOf(label: Label | undefined, before: Action, after: Action): number {
  return (
    (LABEL_PLACES.indexOf(label) * ACTIONS.length + ACTIONS.indexOf(before)) * ACTIONS.length + ACTIONS.indexOf(after)
  );
}

/** Counts a row. `order` is its place among all. */
export function addRow(
  tally: Tally,
  order: number,
  { row, judgment }: { readonly row: BacktestRow; readonly judgment: RowJudgment },
  options: TallyOptions,
): void {
  const { label, receivedAt } = row;
  const { old: before, new: after } = judgment;
  const cell = cellOf(label, before.action, after.action);
  tally.cells[cell] = (tally.cells[cell] ?? 0) + 1;
  tally.firstMs = Math.min(tally.firstMs, receivedAt);
  tally.lastMs = Math.max(tally.lastMs, receivedAt);
  if (Object.keys(row.checks).length === 0) tally.rowsWithoutChecks += 1;
  addSide(tally.old, before, label);
  addSide(tally.new, after, label);
  if (before.action === after.action) return;
  const flip = `${before.action} ${after.action}`;
  const examples = tally.examples.get(flip) ?? [];
  if (examples.length === 0) tally.examples.set(flip, examples);
  if (examples.length < options.examples) examples.push(exampleOf(order, row, judgment, options.isPersonal));
}

/** Adds the tally of another part of the rows. */
export function mergeTally(into: Tally, from: Tally, { examples: most }: TallyOptions): void {
  for (const [cell, count] of from.cells.entries()) into.cells[cell] = (into.cells[cell] ?? 0) + count;
  for (const [flip, examples] of from.examples) {
    const all = [...(into.examples.get(flip) ?? []), ...examples];
    into.examples.set(flip, all.toSorted((a, b) => a.order - b.order).slice(0, most));
  }
  mergeSide(into.old, from.old);
  mergeSide(into.new, from.new);
  into.rowsWithoutChecks += from.rowsWithoutChecks;
  into.firstMs = Math.min(into.firstMs, from.firstMs);
  into.lastMs = Math.max(into.lastMs, from.lastMs);
}

function addSide(side: SideTally, judgment: SideJudgment, label: Label | undefined): void {
  if (judgment.isUndecided) {
    side.undecided += 1;
    return;
  }
  const ruleset = rulesetIn(side, judgment.ruleset);
  ruleset.rows += 1;
  addHits(ruleset.hits, judgment.decision, label);
  for (const name of judgment.warming) ruleset.warming.set(name, (ruleset.warming.get(name) ?? 0) + 1);
}

function mergeSide(into: SideTally, from: SideTally): void {
  into.undecided += from.undecided;
  for (const [name, { rows, hits, warming }] of from.rulesets) {
    const ruleset = rulesetIn(into, name);
    ruleset.rows += rows;
    mergeHits(ruleset.hits, hits);
    for (const [counter, count] of warming) ruleset.warming.set(counter, (ruleset.warming.get(counter) ?? 0) + count);
  }
}

function rulesetIn(side: SideTally, name: string): RulesetTally {
  let ruleset = side.rulesets.get(name);
  if (ruleset === undefined) side.rulesets.set(name, (ruleset = { rows: 0, hits: emptyHits(), warming: new Map() }));
  return ruleset;
}

function exampleOf(order: number, row: BacktestRow, judgment: RowJudgment, isPersonal: boolean): Example {
  const { event, context, label, receivedAt } = row;
  const visitorId = event.identification?.visitor_id;
  const side = ({ decision: { score, reasons } }: SideJudgment): ExampleSide => ({
    score,
    rules: reasons.map(({ rule, evidence }) => (isPersonal ? { rule, evidence } : { rule })),
  });
  return {
    order,
    event_id: event.event_id,
    received_at: receivedAt,
    ...(context.flow === undefined ? {} : { flow: context.flow }),
    ...(label === undefined ? {} : { label }),
    old: side(judgment.old),
    new: side(judgment.new),
    ...(isPersonal && visitorId !== undefined ? { visitor_id: visitorId } : {}),
    ...(isPersonal ? { context } : {}),
  };
}
