import { type ChosenField, chooseFields } from "@assay/fingerprint";
import type { Ruleset } from "@assay/rules";
import {
  asksOf,
  addRow,
  type Answers,
  createRowJudge,
  emptyTally,
  fieldsOfSettings,
  type Prepared,
  type RowAsks,
  type Tally,
  type TallyOptions,
} from "@assay/rules/backtest";
import type { LineForm } from "./backtest-rows.ts";
import type { BadLine } from "./bad-lines.ts";
import { isBlank, linesIn } from "./line-batches.ts";
import { readArchivedRow } from "./read-archived-row.ts";
import { readRow } from "./read-row.ts";
import { loadSide, type SideFiles } from "./side.ts";

/** What a judge is made of. Plain data: it may cross threads. */
export interface JudgeOptions extends TallyOptions {
  readonly old: SideFiles;
  readonly new: SideFiles;
  readonly form: LineForm;
}

/** The rulesets of both sides. Plain data. */
export interface Sides {
  readonly old: readonly RulesetName[];
  readonly new: readonly RulesetName[];
}

export type RulesetName = Pick<Ruleset, "name" | "digest">;

/** What the rows of a batch ask of counters before they can be judged. Plain data. */
export interface PreparedBatch {
  /** Lines, empty and bad ones too. */
  readonly lines: number;
  readonly rows: number;
  /** Their numbers are those in the batch. */
  readonly bad: readonly BadLine[];
  /** Of the rows that ask anything, in their order. */
  readonly asks: readonly RowAsks[];
}

/**
 * Judges batches of rows in two steps: whatever takes long is in them, and may be done on any thread; what needs the
 * order of rows, the counters, lies between them and takes little.
 */
export interface BatchJudge {
  readonly sides: Sides;
  prepare(batch: Uint8Array): PreparedBatch;
  /** Judges the batch that was prepared first of those not judged yet. `firstRow` is how many rows were before it. */
  judge(answers: Answers, firstRow: number): void;
  /** What all of them came to. */
  finish(): Tally;
}

/** A judge on this thread. Throws what `loadSide` throws. */
export function createBatchJudge({ old: oldFiles, new: newFiles, form, ...options }: JudgeOptions): BatchJudge {
  const [oldSide, newSide] = [loadSide(oldFiles), loadSide(newFiles)];
  const rowJudge = createRowJudge(oldSide.choose, newSide.choose);
  const fields = fieldsOf([...oldSide.rulesets, ...newSide.rulesets]);
  const readLine = form === "archived" ? readArchivedRow : readRow;
  const tally = emptyTally();
  const waiting: (readonly Prepared[])[] = [];
  return {
    sides: { old: oldSide.rulesets.map(nameOf), new: newSide.rulesets.map(nameOf) },
    prepare: (batch) => {
      const lines = linesIn(batch);
      const prepared: Prepared[] = [];
      const bad: BadLine[] = [];
      const asks: RowAsks[] = [];
      for (const [index, line] of lines.entries()) {
        if (isBlank(line)) continue;
        const read = readLine(line, fields);
        if (!read.ok) {
          bad.push({ line: index + 1, why: read.why });
          continue;
        }
        const one = rowJudge.prepare(read.row);
        prepared.push(one);
        if (one.asks.length > 0) asks.push(asksOf(one));
      }
      waiting.push(prepared);
      return { lines: lines.length, rows: prepared.length, bad, asks };
    },
    judge(answers, firstRow) {
      let firstAsk = 0;
      for (const [index, prepared] of (waiting.shift() ?? []).entries()) {
        const judgment = rowJudge.judge(prepared, answers, firstAsk);
        firstAsk += prepared.asks.length;
        addRow(tally, firstRow + index, { row: prepared.row, judgment }, options);
      }
    },
    finish: () => tally,
  };
}

function nameOf({ name, digest }: Ruleset): RulesetName {
  return { name, digest };
}

/** What rulesets and their settings read of an event, and what is told of an example. Most of an event is neither. */
function fieldsOf(rulesets: readonly Ruleset[]): readonly ChosenField[] {
  const read = rulesets.flatMap(({ eventFields, settings }) => [...eventFields, ...fieldsOfSettings(settings)]);
  return chooseFields(new Set(["identification.visitor_id", ...read]));
}
