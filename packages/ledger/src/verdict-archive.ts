import { envelopeText } from "@assay/protocol";
import { type Gap, streamTimeOf } from "./stream-place.ts";
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

/** What is told of a gap. */
export interface GapNotice extends Gap {
  /**
   * Absent where there is no archive. `follows`: what the archive has of it comes next. `away`: the archive did not
   * answer. `missing`: the archive has not got these; tests are among them, which are never archived.
   */
  readonly archive?: "follows" | "away" | "missing";
}

/** Something is told of a gap, or a part of it is there. */
export type GapPart =
  | { readonly notice: GapNotice; readonly entries?: undefined }
  | { readonly entries: readonly StreamEntry[]; readonly notice?: undefined };

/** Entries of a gap that are read at once. */
const PAGE = 100;

/** What is to be told of a gap, and all of it that an archive has, in the order of the stream. Never throws. */
export async function* fillGap(
  archive: VerdictArchive | undefined,
  tenant: string,
  gap: Gap,
): AsyncGenerator<GapPart, void> {
  if (archive === undefined) return yield { notice: gap };
  let rest = gap;
  for (let isBegun = false, isMore = true; isMore; isBegun = true) {
    let entries: readonly StreamEntry[];
    try {
      entries = await readArchived(archive, { tenant, after: rest.after, before: gap.before, limit: PAGE });
    } catch {
      return yield { notice: { ...rest, archive: "away" } };
    }
    const last = entries.at(-1)?.entryId;
    if (last !== undefined && !isBegun) yield { notice: { ...gap, archive: "follows" } };
    if (last !== undefined) {
      yield { entries };
      rest = behind(rest, last, entries.length);
    }
    isMore = last !== undefined;
  }
  if (rest.lost !== 0) {
    // Where nobody knows how many there were, what came is taken for all.
    if (rest.lost !== undefined || rest === gap) yield { notice: { ...rest, archive: "missing" } };
  }
}

function behind({ lost, ...gap }: Gap, entryId: string, count: number): Gap {
  const left = lost === undefined ? {} : { lost: Math.max(lost - count, 0) };
  return { ...gap, ...left, from: streamTimeOf(entryId), after: entryId };
}
