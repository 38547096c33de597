import { ArchiveError, type BacktestRange, createArchivePool, createArchiveReader } from "@assay/archive";
import { CommandError, EXIT } from "../report.ts";
import type { BacktestRows } from "./backtest-rows.ts";
import { BATCH_BYTES } from "./line-batches.ts";

/** Of one statement, which reads a page. A busy Postgres may take a while for one, and nobody waits for the rest. */
const TIMEOUT_MS = 60_000;
/** One reads a page, and one is to spare. */
const MAX_CONNECTIONS = 2;

/** The rows of the archive that `DATABASE_URL` names. Connects when they are read. */
export function archiveRows(connectionString: string, range: BacktestRange): BacktestRows {
  const left = { undecided: 0, expired: 0 };
  let readUntil = range.since;
  return {
    name: "the archive",
    form: "archived",
    readShare: () => (readUntil - range.since) / (range.until - range.since),
    leftOut: left,
    async *batches() {
      const pool = createArchivePool({ connectionString, maxConnections: MAX_CONNECTIONS, timeoutMs: TIMEOUT_MS });
      const reader = createArchiveReader({ pool });
      try {
        for await (const page of reader.backtestRows(range)) {
          left.undecided += page.undecided;
          left.expired += page.expired;
          yield* batchesOf(page.lines);
          ({ readUntil } = page);
        }
      } catch (error) {
        if (!(error instanceof ArchiveError)) throw error;
        throw new CommandError(EXIT.unavailable, error.message, { cause: error });
      } finally {
        await reader.stop();
      }
    },
  };
}

function* batchesOf(lines: readonly string[]): Iterable<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  let text = "";
  for (const line of lines) {
    text += `${line}\n`;
    if (text.length < BATCH_BYTES) continue;
    yield encoder.encode(text);
    text = "";
  }
  if (text !== "") yield encoder.encode(text);
}
