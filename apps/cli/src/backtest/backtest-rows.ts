/** What a line is: a row as a file holds it, or as the archive writes it. */
export type LineForm = "row" | "archived";

/** What the archive knows of and has no row for. */
export interface LeftOut {
  /** Verdicts on what could not be judged, and has no event. */
  readonly undecided: number;
  /** Verdicts whose event is no longer kept. */
  readonly expired: number;
}

/**
 * Rows to backtest on, one a line. Where they come from is their own affair, so that the archive stands beside files.
 */
export interface BacktestRows {
  /** What messages call them. */
  readonly name: string;
  readonly form: LineForm;
  /** Whole lines, some dozens at a time. Each piece may be given away. Throws a CommandError. */
  batches(): AsyncIterable<Uint8Array<ArrayBuffer>>;
  /** How much of them was read, 0 to 1; undefined where that is not known. */
  readShare(): number | undefined;
  /** Known when they have been read. */
  readonly leftOut: LeftOut;
  /** The file that they can be read from once more, also in another order. */
  readonly file?: string;
}

export const NOTHING_LEFT_OUT: LeftOut = { undecided: 0, expired: 0 };
