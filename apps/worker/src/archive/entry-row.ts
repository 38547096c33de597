import type { ArchiveRow } from "@assay/archive";
import type { ArchiveEntry } from "@assay/ledger";

/** What the archive keeps of an entry of its stream. */
export function rowOf(entry: ArchiveEntry, tenant: string): ArchiveRow {
  const { verdict, pinned, submission, event, streamId } = entry;
  return {
    type: "verdict",
    tenant,
    verdict,
    pinned,
    submission,
    ...(event === undefined ? {} : { event }),
    ...(streamId === undefined ? {} : { streamId }),
  };
}
