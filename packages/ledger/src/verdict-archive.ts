import { envelopeText, type Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { readArchiveBacklog } from "./archive-stream.ts";
import type { PlacedEntry } from "./follow-stream.ts";
import { type Gap, idBefore, type StreamPlace, streamTimeOf } from "./stream-place.ts";
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

/** Whether something of before this entry of the stream may still be on its way into the archive. Throws what Redis throws. */
export async function isArchiveBehind(redis: Redis, keys: Keys, entryId: string): Promise<boolean> {
  const { since } = await readArchiveBacklog(redis, keys);
  return since !== undefined && since <= streamTimeOf(entryId);
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
  | { readonly entries: readonly PlacedEntry[]; readonly notice?: undefined };

export interface FillOptions {
  /** Behind the gap. */
  readonly behind?: StreamPlace;
  /** Whether something of before this entry may not be in the archive yet. */
  readonly isBehind: (entryId: string) => Promise<boolean>;
}

/** Entries of a gap that are read at once. */
const PAGE = 100;
/** No entry is ever so late. */
const END = "999999999999999-0";

/**
 * What is to be told of a gap, and all of it that an archive has, in the order of the stream. Never throws. Where it is
 * known how many were added up to `behind` the gap, each entry's place tells how many of it are still to come or missing.
 */
export async function* fillGap(
  archive: VerdictArchive | undefined,
  tenant: string,
  gap: Gap,
  { behind, isBehind }: FillOptions,
): AsyncGenerator<GapPart, void> {
  if (archive === undefined) return yield { notice: gap };
  // Asked before anything is read: what a slow process has in hand may lie before what others have archived.
  const isWhole = !(await isBehind(gap.before).catch(() => true));
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
      yield { entries: placed(entries, rest.lost, behind?.ordinal) };
      rest = restOf(rest, last, entries.length);
    }
    isMore = last !== undefined;
  }
  if (rest.lost === 0) return;
  // Where nobody knows how many there were, what came is taken for all, if what lies behind it is archived, too.
  const isAll = isWhole && rest !== gap && rest.lost === undefined;
  if (!isAll || !(await isArchivedFrom(archive, tenant, gap.before))) yield { notice: { ...rest, archive: "missing" } };
}

async function isArchivedFrom(archive: VerdictArchive, tenant: string, id: string): Promise<boolean> {
  try {
    return (await archive.published({ tenant, after: idBefore(id), before: END, limit: 1 })).length > 0;
  } catch {
    return false;
  }
}

// Counted back from the end of the gap: what the archive has not got lies behind each of them, and is told by whoever
// goes on from there.
function placed(
  entries: readonly StreamEntry[],
  lost: number | undefined,
  ordinal: number | undefined,
): readonly PlacedEntry[] {
  const begin = lost === undefined || ordinal === undefined ? undefined : ordinal - lost;
  return entries.map((entry, index) => ({
    ...entry,
    place: { id: entry.entryId, ...(begin === undefined ? {} : { ordinal: begin + index + 1 }) },
  }));
}

function restOf({ lost, ...gap }: Gap, entryId: string, count: number): Gap {
  const left = lost === undefined ? {} : { lost: Math.max(lost - count, 0) };
  return { ...gap, ...left, from: streamTimeOf(entryId), after: entryId };
}
