import type { ArchiveRow, ArchiveWriter } from "@assay/archive";
import type { RateLimitedLog } from "@assay/host";
import type { ArchiveEntry, ArchiveStream } from "@assay/ledger";
import type { WorkerMetrics } from "../metrics.ts";
import type { Patience } from "../patience.ts";
import type { ArchiveState } from "./archive-state.ts";
import type { ArchiveTiming } from "./archive-timing.ts";
import { rowOf } from "./entry-row.ts";

export interface ArchiveLaneOptions {
  readonly tenant: string;
  readonly stream: ArchiveStream;
  readonly writer: Pick<ArchiveWriter, "write">;
  readonly state: ArchiveState;
  readonly metrics: Pick<WorkerMetrics, "archiveRows">;
  readonly log: RateLimitedLog;
  readonly patience: Patience;
  readonly timing: ArchiveTiming;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly delay: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Takes no more, and repeats nothing that fails. */
  readonly stopping: AbortSignal;
  /** Leaves also what is written and not let go of: it is written again, which changes nothing. */
  readonly givingUp: AbortSignal;
}

/** What is there when the last batch has been written, at most this much: an event may take half a megabyte. */
const MAX_BATCH = 100;

/** Brings one tenant's entries into the archive, a batch at a time, until it is stopped. Never rejects. */
export async function runArchiveLane(options: ArchiveLaneOptions): Promise<void> {
  const { stream, timing, log, stopping } = options;
  const { blockMs, takeoverAfterMs } = timing;
  for (let failures = 0; !stopping.aborted;) {
    try {
      const entries = await stream.read({ count: MAX_BATCH, blockMs, takeoverAfterMs });
      if (entries.length > 0) await archive(options, entries);
      failures = 0;
    } catch (error) {
      // Under a read that waits the connection is closed.
      if (stopping.aborted) return;
      log.warn({ err: error }, "the stream of the archive does not serve; it is tried again");
      await pause(options, failures++);
    }
  }
}

/** Writes a batch and lets go of it. Where Postgres takes nothing until we stop, it is left to another. */
async function archive(options: ArchiveLaneOptions, entries: readonly ArchiveEntry[]): Promise<void> {
  const { stream, metrics, patience, givingUp } = options;
  const written = await write(options, entries);
  if (written === undefined) return;
  const { inserted, codes } = written;
  const kept = entries.filter(({ entryId }) => !codes.has(entryId));
  const refused = entries.filter(({ entryId }) => codes.has(entryId));
  // First what frees memory: a full Redis lays nothing aside.
  await patience(() => stream.settle(kept), givingUp);
  const why = [...codes].map(([entryId, code]) => ({ entryId, code }));
  await patience(() => stream.settle(refused, why), givingUp);
  metrics.archiveRows.inc({ outcome: "written" }, inserted);
  metrics.archiveRows.inc({ outcome: "repeated" }, kept.length - inserted);
  metrics.archiveRows.inc({ outcome: "rejected" }, refused.length);
}

interface LaneWritten {
  /** Rows that were not there before. */
  readonly inserted: number;
  /** Why the others can never be archived, by entry. */
  readonly codes: ReadonlyMap<string, string>;
}

async function write(options: ArchiveLaneOptions, entries: readonly ArchiveEntry[]): Promise<LaneWritten | undefined> {
  const { tenant, writer, state, log, stopping } = options;
  const codes = new Map<string, string>();
  const rows: ArchiveRow[] = [];
  const ids: string[] = [];
  for (const entry of entries) {
    const row = rowOf(entry, tenant);
    if (row !== undefined) ids[rows.push(row) - 1] = entry.entryId;
    else {
      codes.set(entry.entryId, "unreadable");
      log.error({ entry: entry.entryId }, "another version wrote an entry for the archive, which is laid aside");
    }
  }
  for (let failures = 0; !stopping.aborted; failures++) {
    try {
      const { inserted, rejected } = await writer.write(rows);
      state.works();
      for (const { index, error } of rejected) {
        codes.set(ids[index] ?? "", error.code);
        log.error({ err: error, entry: ids[index] }, "the archive refuses a row, which is laid aside");
      }
      return { inserted, codes };
    } catch (error) {
      state.failed(error);
      await pause(options, failures);
    }
  }
  return undefined;
}

async function pause({ timing, random, delay, stopping }: ArchiveLaneOptions, failures: number): Promise<void> {
  const pauseMs = Math.min(timing.firstPauseMs * 2 ** failures, timing.longestPauseMs);
  await delay(pauseMs * (1 - random() / 2), stopping);
}
