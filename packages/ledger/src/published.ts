import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { edgeOf } from "./follow-stream.ts";
import { compareStreamIds, idBehind } from "./stream-place.ts";
import { readEntries, type StreamEntry } from "./stream-replies.ts";

/** A part of the stream of verdicts: behind `after` and before `before`, neither of which is in it. */
export interface StreamSpan {
  readonly after: string;
  readonly before: string;
}

/** What the stream still holds of a span. */
export interface PublishedPage {
  /** At the head of the span something has left the stream: what lies before this entry can only be found elsewhere. */
  readonly trimmedBefore?: string;
  /** In their order, from the first that is left. */
  readonly entries: readonly StreamEntry[];
  /** Whether there may be more of it. */
  readonly isFull: boolean;
}

/** Reads the head of a span once, at most `limit` entries. Throws what Redis throws. */
export async function readPublished(
  redis: Redis,
  keys: Keys,
  { after, before }: StreamSpan,
  limit: number,
): Promise<PublishedPage> {
  const stream = keys.verdicts();
  const replies = await redis
    .multi()
    .xinfo("STREAM", stream)
    .xrange(stream, `(${after}`, `(${before}`, "COUNT", limit)
    .exec();
  const [info, range] = replies ?? [];
  if (range === undefined || range[0] !== null) throw range?.[0] ?? new Error("Redis answered no transaction.");
  const { firstId, lastId, added, length } = edgeOf(info?.[1]);
  const oldest = firstId ?? idBehind(lastId);
  const isTrimmed = added > length && compareStreamIds(idBehind(after), oldest) < 0;
  const entries = readEntries(range[1]);
  return { entries, isFull: entries.length === limit, ...(isTrimmed ? { trimmedBefore: oldest } : {}) };
}
