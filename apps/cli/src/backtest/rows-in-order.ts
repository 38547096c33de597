import { open, stat } from "node:fs/promises";
import { CommandError, EXIT } from "../report.ts";
import type { BacktestRows } from "./backtest-rows.ts";
import type { BadLines } from "./bad-lines.ts";
import { isBlank, linesIn } from "./line-batches.ts";
import { readRow } from "./read-row.ts";

/** Where a line stands in a file. */
interface Place {
  readonly receivedAt: number;
  readonly offset: number;
  readonly bytes: number;
}

const ROWS_A_BATCH = 100;
const NEWLINE = 10;

/**
 * The rows of a file in the order in which they were received. Reads it once to learn that order, and keeps but a place
 * for each row. Lines that hold none are left out, and added to `bad`. Throws a CommandError for too many of them.
 */
export async function rowsInOrder(rows: BacktestRows, file: string, bad: BadLines): Promise<BacktestRows> {
  const places: Place[] = [];
  let offset = 0;
  let number = 0;
  for await (const batch of rows.batches()) {
    let at = 0;
    for (const line of linesIn(batch)) {
      number += 1;
      const bytes = lengthOf(batch, at);
      const read = isBlank(line) ? undefined : readRow(line);
      if (read?.ok === false) bad.add({ line: number, why: read.why });
      if (read?.ok === true) places.push({ receivedAt: read.row.receivedAt, offset: offset + at, bytes });
      at += bytes;
    }
    offset += batch.byteLength;
  }
  // Whatever was cut out of a line is missing in the places behind it.
  if (offset !== (await stat(file)).size) {
    const message = `${file} is not in the order of received_at, and has lines of more than 1 MiB. Sort it, or drop these.`;
    throw new CommandError(EXIT.usage, message);
  }
  places.sort((a, b) => a.receivedAt - b.receivedAt || a.offset - b.offset);
  let given = 0;
  return {
    name: rows.name,
    form: rows.form,
    leftOut: rows.leftOut,
    readShare: () => given / places.length,
    async *batches() {
      const handle = await open(file);
      try {
        for (; given < places.length; given += ROWS_A_BATCH) {
          const some = places.slice(given, given + ROWS_A_BATCH);
          const batch = new Uint8Array(some.reduce((sum, { bytes }) => sum + bytes + 1, 0));
          let at = 0;
          for (const { offset: from, bytes } of some) {
            await handle.read(batch, at, bytes, from);
            at += bytes;
            batch[at++] = NEWLINE;
          }
          yield batch;
        }
      } finally {
        await handle.close();
      }
    },
  };
}

/** Bytes of the line that begins there, with its end. */
function lengthOf(batch: Uint8Array, at: number): number {
  const end = batch.indexOf(NEWLINE, at);
  return (end === -1 ? batch.length : end + 1) - at;
}
