import type { ArchivePool } from "./archive-pool.ts";
import { DAY_MS, dayOf, listPartitions } from "./partitions.ts";
import { type StreamId, streamIdOf } from "./stream-id.ts";

/** A part of the stream `verdicts` of one tenant. */
export interface PublishedRange {
  readonly tenant: string;
  /** Behind this id of the stream; `0-0` is from the beginning. */
  readonly after: string;
  /** Before this id; to the end when absent. */
  readonly before?: string;
  /** At most 1,000; 100 when absent. */
  readonly limit?: number;
}

/** A verdict and where it stood in the stream. */
export interface PublishedVerdict {
  readonly streamId: string;
  /** The verdict's JSON, byte by byte. */
  readonly verdict: string;
}

const [DEFAULT_LIMIT, MAX_LIMIT] = [100, 1_000];
/** Of its being received. A verdict that took longer is not found by when it was published. */
const PUBLISHED_WITHIN_DAYS = 5;
/** A caller's clock may be this far ahead of Redis's, and then some. */
const AHEAD_MS = 60_000;
const END: StreamId = { ms: Number.MAX_SAFE_INTEGER, seq: 0n };

/*
 * Partitions go by when a submission was received, and the stream by when its verdict was published. So each day of the
 * stream is looked for in the few days before it: a statement locks all that it may touch.
 */
export async function readPublished(
  pool: ArchivePool,
  { tenant, after, before, limit = DEFAULT_LIMIT }: PublishedRange,
): Promise<PublishedVerdict[]> {
  const [from, to] = [streamIdOf(after), before === undefined ? END : streamIdOf(before)];
  const size = Math.min(Math.max(1, Math.trunc(limit)), MAX_LIMIT);
  const days = await listPartitions(pool, "verdicts");
  const [newest, oldest] = [days[0], days.at(-1)];
  if (newest === undefined || oldest === undefined) return [];
  const found: PublishedVerdict[] = [];
  const last = Math.min(newest + PUBLISHED_WITHIN_DAYS * DAY_MS, dayOf(to.ms));
  for (let day = Math.max(dayOf(from.ms), oldest - DAY_MS); day <= last && found.length < size; day += DAY_MS) {
    const rows = await pool.query<{ stream_id: string; body: string }>(
      `SELECT stream_ms || '-' || stream_seq AS stream_id, body FROM assay.verdicts
       WHERE tenant = $1 AND received_at >= $2 AND received_at < $3
         AND stream_ms >= $4 AND stream_ms < $5
         AND (stream_ms, stream_seq) > ($6, $7) AND (stream_ms, stream_seq) < ($8, $9)
       ORDER BY stream_ms, stream_seq LIMIT $10`,
      [
        tenant,
        new Date(day - PUBLISHED_WITHIN_DAYS * DAY_MS),
        new Date(day + DAY_MS + AHEAD_MS),
        day,
        day + DAY_MS,
        from.ms,
        from.seq,
        to.ms,
        to.seq,
        size - found.length,
      ],
    );
    found.push(...rows.map(({ stream_id: streamId, body: verdict }) => ({ streamId, verdict })));
  }
  return found;
}
