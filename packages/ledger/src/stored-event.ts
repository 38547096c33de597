import { deflateRawSync, inflateRawSync } from "node:zlib";
import { type Keys, MAX_EVENT_BYTES } from "@assay/protocol";
import type { Redis } from "ioredis";
import { type Cell, createScript, text } from "./script.ts";
import type { Gravestone } from "./tombstones.ts";

/** How long an event that a webhook or a lookup brought is kept for other submissions of it, in ms. */
const STORED_EVENT_TTL_MS = 600_000;

// Whoever waits stays noted until it was rung for: a process that dies between the two does it again. What was erased
// is not kept, but whoever waits for it is told.
const bring = createScript(`
local stored, waiters, asker, not_found, erasures = unpack(KEYS, 1, 5)
if #KEYS > 5 and redis.call('EXISTS', erasures) == 1 then
  for n = 6, #KEYS do
    local erased_at = redis.call('GET', KEYS[n])
    if erased_at and tonumber(erased_at) >= tonumber(ARGV[n - 3]) then
      redis.call('DEL', asker, not_found)
      return { { '1' }, redis.call('ZRANGE', waiters, 0, -1, 'WITHSCORES') }
    end
  end
end
local is_known = redis.call('EXISTS', stored)
redis.call('SET', stored, ARGV[1], 'PX', ARGV[2])
redis.call('DEL', asker, not_found)
return { { tostring(is_known) }, redis.call('ZRANGE', waiters, 0, -1, 'WITHSCORES') }
`);

/** A submission that waits for an event. */
export interface Waiter {
  readonly id: string;
  /** What tells this wait from a later one of the same submission. */
  readonly mark: string;
}

/** Reads what ZRANGE says of waiters, with their scores. */
export function readWaiters(cells: readonly Cell[] = []): Waiter[] {
  return cells.flatMap((cell, index) => (index % 2 === 0 ? [{ id: text(cell), mark: text(cells[index + 1]) }] : []));
}

/** What came of an event that was brought. */
export interface Brought {
  /** Whether it was there before; the last one is kept. */
  readonly isKnown: boolean;
  /** The submissions that wait for it: ring for each, then `forgetWaiters`. */
  readonly waiters: readonly Waiter[];
}

/**
 * Keeps an event's JSON for whoever asks for it by id within ten minutes. Where one of its tombstones stands it is not
 * kept, and answered as one that is known.
 */
export async function bringEvent(
  redis: Redis,
  keys: Keys,
  eventId: string,
  json: string,
  tombstones: readonly Gravestone[] = [],
): Promise<Brought> {
  const ofEvent = [keys.storedEvent(eventId), keys.waiters(eventId), keys.asker(eventId), keys.notFound(eventId)];
  const rows = await bring.run(
    redis,
    [...ofEvent, keys.erasures(), ...tombstones.map(({ hash }) => keys.tombstone(hash))],
    [deflateRawSync(json), STORED_EVENT_TTL_MS, ...tombstones.map(({ at }) => at)],
  );
  return { isKnown: text(rows[0]?.[0]) === "1", waiters: readWaiters(rows[1]) };
}

/** Whether anybody waits for an event. */
export async function isAwaitedEvent(redis: Redis, keys: Keys, eventId: string): Promise<boolean> {
  return (await redis.exists(keys.waiters(eventId))) === 1;
}

const forget = createScript(`
for n = 1, #ARGV, 2 do
  if redis.call('ZSCORE', KEYS[1], ARGV[n]) == ARGV[n + 1] then redis.call('ZREM', KEYS[1], ARGV[n]) end
end
return { {} }
`);

/** Takes submissions that were rung for from those that wait for an event, but those that wait anew. */
export async function forgetWaiters(
  redis: Redis,
  keys: Keys,
  eventId: string,
  waiters: readonly Waiter[],
): Promise<void> {
  const args = waiters.flatMap(({ id, mark }) => [id, mark]);
  if (args.length > 0) await forget.run(redis, [keys.waiters(eventId)], args);
}

/** The stored JSON of an event, or undefined. */
export async function readStoredEvent(redis: Redis, keys: Keys, eventId: string): Promise<string | undefined> {
  const stored = await redis.getBuffer(keys.storedEvent(eventId));
  return stored === null ? undefined : inflateEvent(stored);
}

/** The JSON that `bringEvent` deflated. Throws a RangeError for what inflates to far more than an event may be. */
export function inflateEvent(stored: Uint8Array): string {
  // A little above the limit of an event: what is stored has been normalised, and may have grown by a few names.
  return inflateRawSync(stored, { maxOutputLength: 2 * MAX_EVENT_BYTES }).toString("utf8");
}
