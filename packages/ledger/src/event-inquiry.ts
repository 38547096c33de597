import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { createScript, number, text } from "./script.ts";
import { inflateEvent, readWaiters, type Waiter } from "./stored-event.ts";

/** A submission that wants an event by its id. */
export interface Inquirer {
  readonly eventId: string;
  /** The submission's. */
  readonly id: string;
}

/** What is known of an event before the vendor is asked. */
export type Inquiry =
  /** A webhook or a lookup brought it. */
  | { readonly status: "stored"; readonly json: string }
  /** The vendor did not know it a moment ago, and is not asked again. */
  | { readonly status: "not_found" }
  /** Another submission asks for it, and is to be heard of within this time. */
  | { readonly status: "asked"; readonly withinMs: number }
  /** This submission asks for it, for all that want it. */
  | { readonly status: "ask" };

/** A vendor that did not know an event this often is not asked for it again, for as long as that is remembered. */
const MAX_ASKED = 2;
const NOT_FOUND_TTL_MS = 60_000;
// How long an asker may be silent beyond its word: a lookup, or a worker that died and whose job comes again.
const ASKER_SILENCE_MS = 10_000;

/*
 * One asks for all. The asker is `<rank>|<id>`: one that somebody waits for (1) takes the place of one that nobody does
 * (0), because it stands further ahead in the line, but not of one whose question is at the vendor (2). An asker that is
 * not heard of any more loses its place by time.
 * Not found is `<times>|<try>`: a script that is repeated counts once.
 */
const inquire = createScript(`
local stored, not_found, asker = unpack(KEYS)
local id, awaited, silence, max_asked = unpack(ARGV)
local event = redis.call('GET', stored)
if event then return { { 'stored', event } } end
local times = string.match(redis.call('GET', not_found) or '0', '^%d+')
if tonumber(times) >= tonumber(max_asked) then return { { 'not_found' } } end
local current = redis.call('GET', asker)
if current and string.sub(current, 3) ~= id and awaited <= string.sub(current, 1, 1) then
  return { { 'asked', tostring(redis.call('PTTL', asker)) } }
end
redis.call('SET', asker, awaited .. '|' .. id, 'PX', silence)
return { { 'ask' } }
`);

/** Says what is known of an event, and makes this submission the one that asks for it if nobody does. */
export async function inquireEvent(
  redis: Redis,
  keys: Keys,
  { eventId, id, isAwaited }: Inquirer & { readonly isAwaited: boolean },
): Promise<Inquiry> {
  const scriptKeys = [keys.storedEvent(eventId), keys.notFound(eventId), keys.asker(eventId)];
  const rows = await inquire.run(redis, scriptKeys, [id, isAwaited ? "1" : "0", ASKER_SILENCE_MS, MAX_ASKED]);
  const [status, detail] = rows[0] ?? [];
  switch (text(status)) {
    case "stored":
      return { status: "stored", json: inflateEvent(detail ?? new Uint8Array()) };
    case "not_found":
      return { status: "not_found" };
    case "asked":
      return { status: "asked", withinMs: Math.max(0, number(detail)) };
    case "ask":
      return { status: "ask" };
    default:
      throw new TypeError("The script of inquiries answered with an unknown status.");
  }
}

const wait = createScript(`
local stored, not_found, asker, waiters = unpack(KEYS)
local id, follows, now, until_ms, silence, max_asked = unpack(ARGV)
if redis.call('EXISTS', stored) == 1 then return { { '1' } } end
local times = string.match(redis.call('GET', not_found) or '0', '^%d+')
if tonumber(times) >= tonumber(max_asked) then return { { '1' } } end
local current = redis.call('GET', asker)
if follows == '1' and not current then return { { '1' } } end
local for_ms = math.max(0, until_ms - now)
if current and string.sub(current, 3) == id then redis.call('PEXPIRE', asker, for_ms + silence) end
redis.call('ZREMRANGEBYSCORE', waiters, '-inf', now - 60000)
redis.call('ZADD', waiters, until_ms, id)
if redis.call('PTTL', waiters) < for_ms + 60000 then redis.call('PEXPIRE', waiters, for_ms + 60000) end
return { { '0' } }
`);

/**
 * Notes that a submission sleeps until `until` (unix ms, by the clock that says `now`), so that it is rung for when its
 * event comes. Its try must have been given back before. True when there is news already: then it must not sleep.
 * `follows` is for one whose event another asks for.
 */
export async function awaitEvent(
  redis: Redis,
  keys: Keys,
  { eventId, id, follows, now, until }: Inquirer & { follows: boolean; now: number; until: number },
): Promise<boolean> {
  const scriptKeys = [
    keys.storedEvent(eventId),
    keys.notFound(eventId),
    keys.asker(eventId),
    keys.waiters(eventId),
  ] as const;
  const rows = await wait.run(redis, scriptKeys, [id, follows ? "1" : "0", now, until, ASKER_SILENCE_MS, MAX_ASKED]);
  return text(rows[0]?.[0]) === "1";
}

const giveUp = createScript(`
local asker, waiters = unpack(KEYS)
local current = redis.call('GET', asker)
if not current or string.sub(current, 3) ~= ARGV[1] then return { {} } end
redis.call('DEL', asker)
return { redis.call('ZRANGE', waiters, 0, -1, 'WITHSCORES') }
`);

/** Asks no more without having an answer. Returns the submissions that wait for the event: one of them may ask now. */
export async function stopAsking(redis: Redis, keys: Keys, { eventId, id }: Inquirer): Promise<Waiter[]> {
  const rows = await giveUp.run(redis, [keys.asker(eventId), keys.waiters(eventId)], [id]);
  return readWaiters(rows[0]);
}

const goToVendor = createScript(`
local current = redis.call('GET', KEYS[1])
if current and string.sub(current, 3) ~= ARGV[1] then return { { '0' } } end
redis.call('SET', KEYS[1], '2|' .. ARGV[1], 'PX', ARGV[2])
return { { '1' } }
`);

/** Says that its question goes to the vendor, so that nobody takes its place meanwhile. False when somebody has. */
export async function startAsking(redis: Redis, keys: Keys, { eventId, id }: Inquirer): Promise<boolean> {
  const rows = await goToVendor.run(redis, [keys.asker(eventId)], [id, ASKER_SILENCE_MS]);
  return text(rows[0]?.[0]) === "1";
}

const countNotFound = createScript(`
local not_found, asker, waiters = unpack(KEYS)
local try, final, ttl, max_asked = unpack(ARGV)
local times, last = string.match(redis.call('GET', not_found) or '0|', '^(%d+)|(.*)$')
times = tonumber(times)
if last ~= try then times = times + 1 end
if final == '1' then times = math.max(times, tonumber(max_asked)) end
redis.call('SET', not_found, times .. '|' .. try, 'PX', ttl)
if times < tonumber(max_asked) then return { { '0' } } end
redis.call('DEL', asker)
return { { '1' }, redis.call('ZRANGE', waiters, 0, -1, 'WITHSCORES') }
`);

/**
 * Remembers for a minute that the vendor does not know the event; `token` names the try that found it so. `isFinal` when
 * it is certain: then, and after the second time, nobody asks again, and the waiters may be told.
 */
export async function noteNotFound(
  redis: Redis,
  keys: Keys,
  { eventId, token, isFinal }: { readonly eventId: string; readonly token: string; readonly isFinal: boolean },
): Promise<{ readonly isFinal: boolean; readonly waiters: readonly Waiter[] }> {
  const scriptKeys = [keys.notFound(eventId), keys.asker(eventId), keys.waiters(eventId)];
  const rows = await countNotFound.run(redis, scriptKeys, [token, isFinal ? "1" : "0", NOT_FOUND_TTL_MS, MAX_ASKED]);
  return { isFinal: text(rows[0]?.[0]) === "1", waiters: readWaiters(rows[1]) };
}
