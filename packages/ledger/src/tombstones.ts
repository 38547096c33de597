import type { Event, Keys, Verdict } from "@assay/protocol";
import type { Redis } from "ioredis";
import { keyedHash } from "./keyed-hash.ts";
import { createScript, number } from "./script.ts";
import { canonical, type Trace, tracesOfEvent } from "./subject.ts";

/** A tombstone to look for: erased is what happened at `at` (unix ms) or before, if it stands. */
export interface Gravestone {
  readonly hash: string;
  readonly at: number;
}

/** What the tombstones say. */
export interface Standing {
  /** Counts erasures: while it is the same, nobody was erased. Empty while nobody ever was. */
  readonly generation: string;
  /** In the order of what was asked. */
  readonly erased: readonly boolean[];
}

/** How many are written at once. */
const PAGE = 500;
/** A submission is received so far ahead of Redis's time at most. */
const MAX_AHEAD_MS = 6000;

/** A submission of which somebody holds a verdict. */
export interface HeldSubmission {
  readonly id: string;
  /** Unix ms: whoever uses its id later is somebody new. */
  readonly receivedAt: number;
}

/**
 * Lua for scripts that write what somebody read before: `is_erased(erasures, tombstone, received_at)` tells whether the
 * submission of a verdict was erased since. One EXISTS while nobody was.
 */
export const IS_ERASED = `
local function is_erased(erasures, tombstone, received_at)
  if redis.call('EXISTS', erasures) == 0 then return false end
  local erased_at = redis.call('GET', tombstone)
  return erased_at and erased_at + ${MAX_AHEAD_MS} >= tonumber(received_at)
end
`;

/** The submission of a verdict that may be erased; nothing for a verdict that is all that an erasure leaves. */
export function heldOf(verdict: Verdict): HeldSubmission | undefined {
  const isLeft = verdict.undecided?.code === "event_erased" && verdict.event_id === undefined;
  return isLeft ? undefined : { id: verdict.id, receivedAt: verdict.received_at };
}

// Whoever decides meanwhile sees the count change, and looks again. What is to be kept longer stays for that time: without
// the count nobody looks for a tombstone.
const bury = createScript(`
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local function ttl_of(key) return math.max(tonumber(ARGV[1]), redis.call('PTTL', key)) end
for n = 2, #KEYS do redis.call('SET', KEYS[n], now, 'PX', ttl_of(KEYS[n])) end
redis.call('INCR', KEYS[1])
redis.call('PEXPIRE', KEYS[1], ttl_of(KEYS[1]))
return { { now } }
`);

/** The hash that a tombstone is found by: of an event's id, or of what somebody is known by. `hashKey` is the installation's own. */
export function tombstoneHash(hashKey: string, { kind, value }: Pick<Trace, "kind" | "value">): string {
  return keyedHash(hashKey, `erased:${kind}`, kind === "event" ? value : canonical({ kind, value }));
}

/**
 * Says that what happened until now is erased, for `ttlMs`. `hashes` are those of `tombstoneHash`, and ids of submissions,
 * which are hashes. From then on no verdict is published that was made without looking at these. Returns when that was,
 * unix ms by Redis's clock.
 */
export async function writeTombstones(
  redis: Redis,
  keys: Keys,
  hashes: readonly string[],
  { ttlMs }: { readonly ttlMs: number },
): Promise<number> {
  let at = 0;
  for (let from = 0; from < hashes.length; from += PAGE) {
    const page = hashes.slice(from, from + PAGE).map((hash) => keys.tombstone(hash));
    const rows = await bury.run(redis, [keys.erasures(), ...page], [ttlMs]);
    at = number(rows[0]?.[0]);
  }
  return at;
}

/** Tells of each list of traces whether any of it was erased, and how many erasures that regards. One command. */
export async function readTombstones(
  redis: Redis,
  keys: Keys,
  hashKey: string,
  lists: readonly (readonly Trace[])[],
): Promise<Standing> {
  const stones = lists.map((traces) => gravestonesOf(hashKey, traces));
  const names = stones.flat().map(({ hash }) => keys.tombstone(hash));
  const [generation, ...times] = await redis.mget(keys.erasures(), ...names);
  let next = 0;
  const erased = stones.map((list) => list.map(({ at }) => Number(times[next++] ?? Number.NaN) >= at).includes(true));
  return { generation: generation ?? "", erased };
}

/**
 * Ids of the events that must not come in any more: those that were erased themselves, or were made before their visitor,
 * linked id or address was. One short command while nobody was ever erased.
 */
export async function erasedEvents(
  redis: Redis,
  keys: Keys,
  hashKey: string,
  events: readonly Event[],
): Promise<Set<string>> {
  if ((await redis.exists(keys.erasures())) === 0) return new Set();
  const { erased } = await readTombstones(redis, keys, hashKey, events.map(tracesOfEvent));
  return new Set(events.filter((_, index) => erased[index] === true).map(({ event_id: eventId }) => eventId));
}

/** What to look for before an event is kept. */
export function gravestonesOf(hashKey: string, traces: readonly Trace[]): Gravestone[] {
  return traces.map((trace) => ({ hash: tombstoneHash(hashKey, trace), at: trace.at }));
}
