import type { VerdictArchive } from "@assay/ledger";
import type { ArchiveLink } from "./archive-link.ts";

/** The archive as listeners read it: those who are at the same place at the same moment share one read. */
export function createStreamArchive(link: ArchiveLink): VerdictArchive {
  const reading = new Map<string, ReturnType<VerdictArchive["published"]>>();
  return {
    published(range) {
      const key = JSON.stringify(range);
      const shared = reading.get(key);
      if (shared !== undefined) return shared;
      const read = link.read((archive) => archive.published(range)).finally(() => reading.delete(key));
      reading.set(key, read);
      return read;
    },
  };
}
