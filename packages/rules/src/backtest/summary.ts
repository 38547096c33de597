import { type Action, ACTIONS, type Label, LABELS } from "@assay/protocol";
import { type Interval, pairedInterval } from "./paired-interval.ts";
import { cellOf, type Example, type SideTally, type Tally } from "./tally.ts";

/** What two sets of rulesets say of the same rows. Rates are 0 to 1; what is absent is not known. */
export interface Summary {
  readonly rows: number;
  readonly rowsWithoutChecks: number;
  /** Unix ms of the first and the last row. */
  readonly span?: readonly [number, number];
  readonly labelled: Readonly<Record<Label, number>>;
  readonly old: SideSummary;
  readonly new: SideSummary;
  readonly blockRate?: RateChange;
  readonly challengeRate?: RateChange;
  /** Of the labelled rows that are blocked, the share that is fraud. */
  readonly precision: Change;
  /** Of the rows that are fraud, the share that is blocked. */
  readonly recall: Change;
  readonly flips: { readonly count: number; readonly groups: readonly FlipGroup[] };
}

interface SideSummary {
  readonly actions: Readonly<Record<Action, number>>;
  /** The same of the rows with each label. */
  readonly byLabel: Readonly<Record<Label, Readonly<Record<Action, number>>>>;
  readonly undecided: number;
  readonly warming: readonly { readonly ruleset: string; readonly counter: string; readonly rows: number }[];
}

export interface Change {
  readonly old?: number;
  readonly new?: number;
  readonly delta?: number;
}

export interface RateChange extends Required<Change> {
  /** 95 %, of the delta. */
  readonly interval: Interval;
}

export interface FlipGroup {
  readonly from: Action;
  readonly to: Action;
  readonly count: number;
  readonly labelled: Readonly<Record<Label, number>>;
  readonly examples: readonly Example[];
}

type Side = "old" | "new";

/** Works out what a tally says. */
export function summaryOf(tally: Tally): Summary {
  const rows = tally.cells.reduce((sum, count) => sum + count, 0);
  return {
    rows,
    rowsWithoutChecks: tally.rowsWithoutChecks,
    ...(rows === 0 ? {} : { span: [tally.firstMs, tally.lastMs] as const }),
    labelled: byLabel((label) => rowsWith(tally, { label })),
    old: sideOf(tally, "old"),
    new: sideOf(tally, "new"),
    ...(rows === 0 ? {} : { blockRate: rateOf(tally, rows, "block"), challengeRate: rateOf(tally, rows, "challenge") }),
    precision: changeOf((side) => {
      const fraud = rowsWith(tally, { label: "fraud", [side]: "block" });
      return ratio(fraud, fraud + rowsWith(tally, { label: "legit", [side]: "block" }));
    }),
    recall: changeOf((side) =>
      ratio(rowsWith(tally, { label: "fraud", [side]: "block" }), rowsWith(tally, { label: "fraud" })),
    ),
    flips: flipsOf(tally),
  };
}

interface Asked {
  readonly label?: Label;
  readonly old?: Action;
  readonly new?: Action;
}

/** How many rows are as asked. */
function rowsWith(tally: Tally, asked: Asked): number {
  let sum = 0;
  for (const label of asked.label === undefined ? [...LABELS, undefined] : [asked.label]) {
    for (const before of asked.old === undefined ? ACTIONS : [asked.old]) {
      for (const after of asked.new === undefined ? ACTIONS : [asked.new]) {
        sum += tally.cells[cellOf(label, before, after)] ?? 0;
      }
    }
  }
  return sum;
}

function sideOf(tally: Tally, side: Side): SideSummary {
  const { undecided, rulesets }: SideTally = tally[side];
  return {
    actions: byAction((action) => rowsWith(tally, { [side]: action })),
    byLabel: byLabel((label) => byAction((action) => rowsWith(tally, { label, [side]: action }))),
    undecided,
    // By name: which was met first hangs on who judged the row.
    warming: [...rulesets]
      .flatMap(([ruleset, { warming }]) => [...warming].map(([counter, rows]) => ({ ruleset, counter, rows })))
      .toSorted((a, b) => (`${a.ruleset} ${a.counter}` < `${b.ruleset} ${b.counter}` ? -1 : 1)),
  };
}

function rateOf(tally: Tally, rows: number, action: Action): RateChange {
  const before = rowsWith(tally, { old: action });
  const after = rowsWith(tally, { new: action });
  const both = rowsWith(tally, { old: action, new: action });
  return {
    old: before / rows,
    new: after / rows,
    delta: (after - before) / rows,
    interval: pairedInterval({ cases: rows, onlyBefore: before - both, onlyAfter: after - both }),
  };
}

function changeOf(valueOf: (side: Side) => number | undefined): Change {
  const [before, after] = [valueOf("old"), valueOf("new")];
  return {
    ...(before === undefined ? {} : { old: before }),
    ...(after === undefined ? {} : { new: after }),
    ...(before === undefined || after === undefined ? {} : { delta: after - before }),
  };
}

function flipsOf(tally: Tally): Summary["flips"] {
  const groups = ACTIONS.flatMap((from) =>
    ACTIONS.filter((to) => to !== from).map((to) => ({
      from,
      to,
      count: rowsWith(tally, { old: from, new: to }),
      labelled: byLabel((label) => rowsWith(tally, { label, old: from, new: to })),
      examples: tally.examples.get(`${from} ${to}`) ?? [],
    })),
  ).filter((group) => group.count > 0);
  return {
    count: groups.reduce((sum, group) => sum + group.count, 0),
    groups: groups.toSorted((a, b) => b.count - a.count),
  };
}

function ratio(part: number, whole: number): number | undefined {
  return whole === 0 ? undefined : part / whole;
}

function byLabel<Value>(valueOf: (label: Label) => Value): Record<Label, Value> {
  return { fraud: valueOf("fraud"), legit: valueOf("legit") };
}

function byAction(valueOf: (action: Action) => number): Record<Action, number> {
  return {
    allow: valueOf("allow"),
    challenge: valueOf("challenge"),
    review: valueOf("review"),
    block: valueOf("block"),
  };
}
