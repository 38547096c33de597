/**
 * Rows to backtest on, as NDJSON: one row a line. Where they come from is their own affair, so that an archive can stand
 * beside files.
 */
export interface BacktestRows {
  /** What messages call them. */
  readonly name: string;
  /** Whole lines, some dozens at a time. Each piece may be given away. Throws a CommandError. */
  batches(): AsyncIterable<Uint8Array<ArrayBuffer>>;
  /** How much of them was read, 0 to 1; undefined where that is not known. */
  readShare(): number | undefined;
  /** The file that they can be read from once more, also in another order. */
  readonly file?: string;
}
