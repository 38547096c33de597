import type { ArchiveRow } from "@assay/archive";
import type { ArchiveEntry } from "@assay/ledger";

/** What the archive keeps of an entry of its stream; undefined for one that this version cannot read. */
export function rowOf(entry: ArchiveEntry, tenant: string): ArchiveRow | undefined {
  const { entryId: _entryId, bytes: _bytes, ...kept } = entry;
  switch (kept.type) {
    case "verdict":
    case "label":
      return { tenant, ...kept };
    case "ruleset":
      return kept;
    case "unreadable":
      return undefined;
  }
}
