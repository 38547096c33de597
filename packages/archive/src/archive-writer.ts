import { ArchiveError, archiveErrorOf, NO_PARTITION } from "./archive-error.ts";
import type { ArchivePool } from "./archive-pool.ts";
import type { ArchiveRow } from "./archive-row.ts";
import { insertRows, type ReadyRow, readyRow } from "./insert-rows.ts";
import { createPartition, dayOf, PARTITIONED } from "./partitions.ts";

/** What became of a batch. Every row of it is in the archive, or rejected. */
export interface Written {
  /** Rows that were not there before. */
  readonly inserted: number;
  /** Rows that the archive will never take, in the order of the batch. */
  readonly rejected: readonly Rejection[];
}

export interface Rejection {
  /** Its place in the batch. */
  readonly index: number;
  /** `archive_rejected`. */
  readonly error: ArchiveError;
}

/** Puts rows into the archive. */
export interface ArchiveWriter {
  /**
   * Writes a batch in one transaction, each row once by its key, however often it is repeated. A row that Postgres
   * refuses is found and named, and the others are written. Throws an ArchiveError `archive_unavailable` when Postgres
   * cannot write just now, also at a deadlock: repeat the whole batch, of which some may be written.
   */
  write(rows: readonly ArchiveRow[]): Promise<Written>;
  /** Closes the pool. May be called twice. */
  stop(): Promise<void>;
}

export interface ArchiveWriterOptions {
  readonly pool: ArchivePool;
}

interface Placed {
  readonly index: number;
  readonly row: ReadyRow;
}

/** Opens nothing yet. The archive must have been migrated. */
export function createArchiveWriter({ pool }: ArchiveWriterOptions): ArchiveWriter {
  /** Days that had their partitions when they were last asked for. */
  const days = new Set<number>();

  async function openDays(rows: readonly Placed[]): Promise<void> {
    const needed = new Set(rows.flatMap(({ row }) => (row.type === "verdict" ? [dayOf(row.columns.receivedAt)] : [])));
    for (const day of needed) {
      if (days.has(day)) continue;
      for (const table of PARTITIONED) await createPartition(pool, table, day);
      days.add(day);
    }
  }

  async function insert(rows: readonly Placed[], isAgain = false): Promise<number> {
    try {
      await openDays(rows);
      return await pool.transaction((client) =>
        insertRows(
          client,
          rows.map(({ row }) => row),
        ),
      );
    } catch (error) {
      days.clear();
      // The day was dropped, as it is beyond its time: it is made once more, and dropped with the next ones.
      if (error instanceof ArchiveError && error.sqlState === NO_PARTITION && !isAgain) return await insert(rows, true);
      throw error;
    }
  }

  async function insertGood(rows: readonly Placed[]): Promise<Written> {
    if (rows.length === 0) return { inserted: 0, rejected: [] };
    try {
      return { inserted: await insert(rows), rejected: [] };
    } catch (error) {
      if (!(error instanceof ArchiveError) || error.code !== "archive_rejected") throw error;
      const [first] = rows;
      if (first !== undefined && rows.length === 1) return { inserted: 0, rejected: [{ index: first.index, error }] };
      const half = Math.ceil(rows.length / 2);
      const [left, right] = [await insertGood(rows.slice(0, half)), await insertGood(rows.slice(half))];
      return { inserted: left.inserted + right.inserted, rejected: [...left.rejected, ...right.rejected] };
    }
  }

  return {
    async write(rows) {
      const unreadable: Rejection[] = [];
      const ready: Placed[] = [];
      for (const [index, row] of rows.entries()) {
        try {
          ready.push({ index, row: readyRow(row) });
        } catch (error) {
          unreadable.push({ index, error: archiveErrorOf(error) });
        }
      }
      const { inserted, rejected } = await insertGood(ready);
      return { inserted, rejected: [...unreadable, ...rejected].toSorted((a, b) => a.index - b.index) };
    },
    stop: () => pool.stop(),
  };
}
