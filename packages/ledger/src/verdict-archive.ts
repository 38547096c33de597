import { envelopeText } from "@assay/protocol";
import type { StreamEntry } from "./stream-replies.ts";

/**
 * Where verdicts can be read that have left the stream: the reader of `@assay/archive` is one. It rejects while it
 * cannot be read.
 */
export interface VerdictArchive {
  /** Verdicts of a tenant behind `after` and before `before`, neither of them included, in the order of the stream. */
  published(range: {
    readonly tenant: string;
    /** Id of an entry of the stream `verdicts`, there or not. */
    readonly after: string;
    readonly before: string;
    readonly limit: number;
  }): Promise<readonly { readonly streamId: string; /** JSON. */ readonly verdict: string }[]>;
}

/** What an archive has of a span, as the stream held it. Throws what the archive throws. */
export async function readArchived(
  archive: VerdictArchive,
  range: Parameters<VerdictArchive["published"]>[0],
): Promise<StreamEntry[]> {
  const rows = await archive.published(range);
  return rows.map(({ streamId, verdict }) => ({ entryId: streamId, json: envelopeText(verdict) }));
}
