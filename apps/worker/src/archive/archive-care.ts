import { ArchiveError, type ArchivePool, maintainArchive } from "@assay/archive";
import type { Logger } from "@assay/host";
import { holdLease, releaseLease } from "@assay/ledger";
import { leaderKey } from "@assay/protocol";
import type { Redis } from "ioredis";
import type { ArchiveConfig } from "./archive-config.ts";
import type { ArchiveTiming } from "./archive-timing.ts";

export interface ArchiveCareOptions {
  readonly config: ArchiveConfig;
  readonly pool: ArchivePool;
  readonly redis: Redis;
  readonly prefix: string;
  /** This process, in the lease. */
  readonly name: string;
  readonly logger: Logger;
  readonly timing: ArchiveTiming;
  readonly now: () => number;
  readonly delay: (ms: number, signal: AbortSignal) => Promise<void>;
}

const AGAIN_AFTER_MS = 30_000;

/**
 * Makes days before they come and drops those beyond their time, by one process each hour: whoever has the lease. After a
 * failure whoever comes next does it. Never rejects.
 */
export async function careForArchive(options: ArchiveCareOptions, stopping: AbortSignal): Promise<void> {
  const { redis, name, logger, timing } = options;
  const key = `${leaderKey(options.prefix)}:archive`;
  while (!stopping.aborted) {
    try {
      if (await holdLease(redis, key, name, timing.maintenanceMs)) {
        await maintain(options, stopping).catch(async (error: unknown) => {
          await releaseLease(redis, key, name);
          throw error;
        });
      }
      await options.delay(timing.maintenanceMs, stopping);
    } catch (error) {
      // That it is not migrated is told by the archive's state, once.
      const isTold = error instanceof ArchiveError && error.isUnmigrated;
      if (!isTold) logger.warn({ err: error }, "days of the archive were not made or dropped; it is tried again");
      await options.delay(AGAIN_AFTER_MS, stopping);
    }
  }
}

async function maintain({ config, pool, logger, now }: ArchiveCareOptions, stopping: AbortSignal): Promise<void> {
  for (;;) {
    const { created, dropped, postponed, deletedLabels } = await maintainArchive(pool, now(), config);
    if (created.length + dropped.length + postponed.length + deletedLabels > 0) {
      logger.info({ created, dropped, postponed, deleted_labels: deletedLabels }, "days of the archive");
    }
    // A part of the labels at once.
    if (deletedLabels === 0 || stopping.aborted) return;
  }
}
