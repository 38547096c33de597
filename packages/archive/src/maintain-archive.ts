import { ArchiveError } from "./archive-error.ts";
import type { ArchivePool } from "./archive-pool.ts";
import {
  createPartition,
  DAY_MS,
  dayOf,
  dropPartition,
  listPartitions,
  PARTITIONED,
  partitionName,
} from "./partitions.ts";

export interface Retention {
  /** How long verdicts and labels are kept, `ASSAY_RETENTION_DAYS`; 90 when absent. */
  readonly retentionDays?: number;
  /** How long events are kept, `ASSAY_EVENT_RETENTION_DAYS`; 30 when absent. */
  readonly eventRetentionDays?: number;
}

/** What was done, by name of partition. */
export interface Maintained {
  readonly created: readonly string[];
  readonly dropped: readonly string[];
  /** Kept until the next time, because somebody reads it just now. */
  readonly postponed: readonly string[];
  /** Labels beyond their time, 10,000 at once at most. */
  readonly deletedLabels: number;
}

const RETENTION_DAYS = 90;
const EVENT_RETENTION_DAYS = 30;
/** Days made before they come, so that a week without maintenance costs nobody anything. */
const DAYS_AHEAD = 7;
const MAX_DELETED_LABELS = 10_000;
const LOCK_NOT_AVAILABLE = "55P03";

/**
 * Makes the partitions of the days around `now` (unix ms) and drops those of which every row is beyond its time: a row
 * stays for its retention at least, and a day longer at most. Safe to repeat and to run in several processes at once.
 * Once an hour is often enough. Throws an ArchiveError.
 */
export async function maintainArchive(pool: ArchivePool, now: number, retention: Retention = {}): Promise<Maintained> {
  const keptDays = {
    verdicts: retention.retentionDays ?? RETENTION_DAYS,
    events: retention.eventRetentionDays ?? EVENT_RETENTION_DAYS,
  };
  const [created, dropped, postponed]: [string[], string[], string[]] = [[], [], []];
  for (const table of PARTITIONED) {
    for (let ahead = 0; ahead <= DAYS_AHEAD; ahead++) {
      const day = dayOf(now) + ahead * DAY_MS;
      if (await createPartition(pool, table, day)) created.push(partitionName(table, day));
    }
    const expired = (await listPartitions(pool, table)).filter((day) => day + DAY_MS <= now - keptDays[table] * DAY_MS);
    for (const day of expired.toReversed()) {
      const name = partitionName(table, day);
      try {
        await dropPartition(pool, table, day);
        dropped.push(name);
      } catch (error) {
        if (!(error instanceof ArchiveError) || error.sqlState !== LOCK_NOT_AVAILABLE) throw error;
        postponed.push(name);
      }
    }
  }
  const rows = await pool.query<{ deleted: number }>(
    `WITH gone AS (
       DELETE FROM assay.labels WHERE (tenant, id) IN (SELECT tenant, id FROM assay.labels WHERE told_at <= $1 LIMIT $2)
       RETURNING 1
     ) SELECT count(*)::int AS deleted FROM gone`,
    [new Date(now - keptDays.verdicts * DAY_MS), MAX_DELETED_LABELS],
  );
  // With the last of what they kept out.
  const kept = new Date(now - keptDays.verdicts * DAY_MS);
  await pool.query("DELETE FROM assay.erasures WHERE erased_at <= $1", [kept]);
  return { created, dropped, postponed, deletedLabels: rows[0]?.deleted ?? 0 };
}
