import type { VerdictArchive } from "@assay/client";
import { compareStreamIds } from "@assay/ledger";

/** A verdict as an archive has it. */
export interface ArchivedVerdict {
  readonly streamId: string;
  /** JSON. */
  readonly verdict: string;
}

/** An archive of tenant `0` in memory, which gives out two verdicts at a time. */
export function archiveOf(all: readonly ArchivedVerdict[]): VerdictArchive {
  return {
    published: ({ tenant, after, before, limit }) =>
      Promise.resolve(
        all
          .filter(({ streamId }) => {
            const isBetween = compareStreamIds(streamId, after) > 0 && compareStreamIds(streamId, before) < 0;
            return tenant === "0" && isBetween;
          })
          .slice(0, Math.min(limit, 2)),
      ),
  };
}
