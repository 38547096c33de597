import { setTimeout as pause } from "node:timers/promises";
import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { compareStreamIds, type Gap, settlePlace, type StreamEdge, type StreamPlace } from "./stream-place.ts";
import { fieldsOf, readEntries, type StreamEntry } from "./stream-replies.ts";

/** An entry, and its place. */
export interface PlacedEntry extends StreamEntry {
  readonly place: StreamPlace;
}

/** What was read behind a place. */
export interface StreamBatch {
  /** What was trimmed before it could be read; it lay before the entries. */
  readonly gap?: Gap;
  /** Behind the gap and before the entries. */
  readonly begin: StreamPlace;
  readonly entries: readonly PlacedEntry[];
  /** Where to read on. */
  readonly place: StreamPlace;
  /** Whether there may be more at this moment. */
  readonly isFull: boolean;
}

export interface FollowOptions {
  /** For commands. */
  readonly redis: Redis;
  /** For blocking reads, and nothing else. It stays the caller's to close. */
  readonly reader: Redis;
  readonly keys: Keys;
  readonly after: StreamPlace;
  readonly signal: AbortSignal;
  /** Learns of each read that failed. */
  readonly onError: (error: unknown) => void;
}

const BATCH = 256;
const BLOCK_MS = 5000;
const PAUSE_MS = 1000;

/**
 * Batches of verdicts behind a place, and of those to come, until `signal` aborts. Nobody else is given less for it.
 * Waits for a Redis that is away. What was trimmed meanwhile is told as a gap.
 */
export async function* followStream(options: FollowOptions): AsyncGenerator<StreamBatch, void> {
  const { redis, reader, keys, signal, onError } = options;
  let place = options.after;
  while (!signal.aborted) {
    let batch: StreamBatch | undefined;
    try {
      batch = await readOn(redis, keys, place);
      place = batch.place;
      if (batch.entries.length === 0 && batch.gap === undefined) await bell(reader, keys, place, signal);
    } catch (error) {
      if (!signal.aborted) onError(error);
      await pause(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
    if (signal.aborted) return;
    if (batch !== undefined && (batch.entries.length > 0 || batch.gap !== undefined)) yield batch;
  }
}

/** Reads once behind a place, at most 256 entries, and what lies between: both of one moment. Throws what Redis throws. */
export async function readOn(redis: Redis, keys: Keys, after: StreamPlace): Promise<StreamBatch> {
  const stream = keys.verdicts();
  const replies = await redis
    .multi()
    .xinfo("STREAM", stream)
    .xrange(stream, `(${after.id}`, "+", "COUNT", BATCH)
    .exec();
  const [info, range] = replies ?? [];
  if (range === undefined || range[0] !== null) throw range?.[0] ?? new Error("Redis answered no transaction.");
  const edge = edgeOf(info?.[1]);
  const { place, gap } = settlePlace(after, edge);
  const read = readEntries(range[1]);
  const isFull = read.length === BATCH;
  // Counted from the place, or else back from the end.
  const start = place.ordinal ?? (isFull ? undefined : edge.added - read.length);
  const entries = read.map((entry, index) => ({
    ...entry,
    place: { id: entry.entryId, ...(start === undefined ? {} : { ordinal: start + index + 1 }) },
  }));
  const begin = entries.length > 0 ? place : endOf(place, edge, gap);
  return { begin, entries, place: entries.at(-1)?.place ?? begin, isFull, ...(gap === undefined ? {} : { gap }) };
}

/** The place behind all that there is at this moment. Throws what Redis throws. */
export async function streamEnd(redis: Redis, keys: Keys): Promise<StreamPlace> {
  const { lastId, added } = await readStreamEdge(redis, keys);
  return { id: lastId, ordinal: added };
}

/** What the stream of verdicts holds at this moment. Throws what Redis throws. */
export async function readStreamEdge(redis: Redis, keys: Keys): Promise<StreamEdge> {
  const [info] = (await redis.multi().xinfo("STREAM", keys.verdicts()).exec()) ?? [];
  if (info === undefined) throw new Error("Redis answered no transaction.");
  return edgeOf(info[1]);
}

// Where nothing is left behind the place, it moves to the end, so that it is never told of the same gap again.
function endOf(place: StreamPlace, { lastId, added }: StreamEdge, gap: Gap | undefined): StreamPlace {
  return gap === undefined || compareStreamIds(place.id, lastId) > 0 ? place : { id: lastId, ordinal: added };
}

/** Reads what XINFO STREAM answers. Of a stream that is not there yet, Redis tells nothing. */
export function edgeOf(info: unknown): StreamEdge {
  const fields = fieldsOf(info);
  const [first] = readEntries([fields.get("first-entry")]);
  const lastId = fields.get("last-generated-id");
  return {
    ...(first === undefined ? {} : { firstId: first.entryId }),
    lastId: typeof lastId === "string" ? lastId : "0-0",
    added: Number(fields.get("entries-added") ?? 0),
    length: Number(fields.get("length") ?? 0),
    hasHoles: (fields.get("max-deleted-entry-id") ?? "0-0") !== "0-0",
  };
}

// The entry itself is read again with the others: this says only that there is one.
async function bell(reader: Redis, keys: Keys, { id }: StreamPlace, signal: AbortSignal): Promise<void> {
  let end = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  signal.addEventListener("abort", end);
  try {
    await Promise.race([reader.xread("COUNT", 1, "BLOCK", BLOCK_MS, "STREAMS", keys.verdicts(), id), ended]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}
