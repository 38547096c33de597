import { ARCHIVE_GROUP, readArchiveBacklog } from "@assay/ledger";
import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import type { WorkerMetrics } from "../metrics.ts";

/** The gauges of what waits for the archive. */
type BacklogGauges = Pick<
  WorkerMetrics,
  "streamLag" | "archiveBacklogBytes" | "archiveBacklogRatio" | "archiveBacklogAge" | "archiveDropped"
>;

/**
 * Shows how much of all these tenants waits for the archive. By whoever decides: it is to be seen where no process
 * archives. `now` is by Redis's clock, unix ms; each tenant may have `maxBytes`.
 */
export async function showArchiveBacklog(
  redis: Redis,
  tenants: readonly Keys[],
  metrics: BacklogGauges,
  { now, maxBytes }: { readonly now: number; readonly maxBytes: number },
): Promise<void> {
  const backlogs = await Promise.all(tenants.map((keys) => readArchiveBacklog(redis, keys)));
  const sum = (of: (backlog: (typeof backlogs)[number]) => number) => backlogs.reduce((all, one) => all + of(one), 0);
  metrics.streamLag.set(
    { group: ARCHIVE_GROUP },
    sum(({ entries }) => entries),
  );
  metrics.archiveBacklogBytes.set(sum(({ bytes }) => bytes));
  metrics.archiveBacklogRatio.set(Math.max(0, ...backlogs.map(({ bytes }) => bytes)) / maxBytes);
  metrics.archiveBacklogAge.set(Math.max(0, ...backlogs.map(({ since = now }) => now - since)) / 1000);
  metrics.archiveDropped.set(sum(({ dropped }) => dropped));
}

/** Shows nothing of it: another process leads, or there is no archive. */
export function clearArchiveBacklog(metrics: BacklogGauges): void {
  metrics.archiveBacklogBytes.remove();
  metrics.archiveBacklogRatio.remove();
  metrics.archiveBacklogAge.remove();
  metrics.archiveDropped.remove();
}
