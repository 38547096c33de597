import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { createScript, number, text } from "./script.ts";

/** The vendor's limit on each API key of a tenant. */
export interface LookupRate {
  /** Lookups a second. */
  readonly rps: number;
  /** Lookups at once. */
  readonly burst: number;
}

/** A submission that asks for its turn. */
export interface TurnRequest {
  /** The submission's. */
  readonly id: string;
  /** Whether somebody waits for its verdict: such a one goes before the others. */
  readonly isAwaited: boolean;
  /** Stands for whom the event was presented by: whoever shares it takes turns with everybody else. */
  readonly network: string;
  /** How long from now on a turn is of use, in ms. */
  readonly withinMs: number;
  /** How long it has waited already, in ms; 0 when absent. */
  readonly waitedMs?: number;
  /** At least one. */
  readonly apiKeys: readonly KeyStanding[];
  readonly rate: LookupRate;
}

/** An API key, and when it may be used. */
export interface KeyStanding {
  /** First 8 hex characters of the key's SHA-256. */
  readonly keyId: string;
  /** For how long from now on it must not be used, in ms; 0 when it may be. */
  readonly restsForMs: number;
}

/** What became of the request. Only `turn` has taken a lookup from a bucket. */
export type Turn =
  | { readonly status: "turn"; readonly keyId: string }
  /** Its turn comes about after this time, unless others leave or overtake. It keeps its place. */
  | { readonly status: "wait"; readonly forMs: number }
  /** Its turn would come too late. It has left the line. */
  | { readonly status: "too_late" };

/*
 * All times are Redis's own, and what the caller says is relative to them: clocks of workers differ.
 * A bucket is filled by Redis's clock, so that every worker sees the same; a clock set back (a failover to another
 * machine) must not drain it for long. `hold` keeps it shut after the vendor throttled.
 *
 * There are two lines: what somebody waits for goes first, but for every sixty-fifth turn, so that the others never stand
 * still; `since` counts. No turn is kept free for one of the others that sleeps: it asks for the next when it wakes.
 * Each line is self-clocked fair queueing: a network's lookups are numbered from the turn that is served now, so that one
 * that wants a thousand gets one while others want one each, and forged ids of one network hold up nobody else. Of equal
 * turns the first come is first.
 * Whoever has as many free lookups as there are places before it takes its own at once: those before it find theirs.
 * Who is not waited for and was overtaken sleeps as long again as it has waited, and wakes not for each that overtakes.
 */
const take = createScript(`
local id, awaited, network, within, waited, rps, burst = unpack(ARGV, 1, 7)
within, waited, rps, burst = tonumber(within), tonumber(waited), tonumber(rps), tonumber(burst)
local first, others, until_of, turns = unpack(KEYS, 1, 4)
local FIRST_KEY = 5
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local latest = now + within
local function leave(who)
  redis.call('ZREM', first, who)
  redis.call('ZREM', others, who)
  redis.call('ZREM', until_of, who)
end
for _, gone in ipairs(redis.call('ZRANGE', until_of, '-inf', now - 1, 'BYSCORE', 'LIMIT', 0, 100)) do leave(gone) end

local free, whole, open_keys, opens_at, fullest, tokens_of = 0, 0, 0, math.huge, nil, {}
for n = FIRST_KEY, #KEYS do
  local r = redis.call('HMGET', KEYS[n], 'tokens', 'at', 'hold')
  local at, hold = tonumber(r[2]) or now, tonumber(r[3]) or 0
  if at > now + 60000 then
    at, hold = now, 0
    redis.call('HSET', KEYS[n], 'at', string.format('%.0f', now), 'hold', '0')
  end
  local tokens = math.min(burst, (tonumber(r[1]) or burst) + math.max(0, now - at) * rps / 1000)
  local opens = math.max(hold, now + ARGV[n + 3])
  tokens_of[n] = tokens
  opens_at = math.min(opens_at, opens)
  if opens <= now then
    open_keys, free, whole = open_keys + 1, free + math.floor(tokens), whole + tokens
    if not fullest or tokens > tokens_of[fullest] then fullest = n end
  end
end

local line = awaited == '1' and first or others
local served, mine = 'served:' .. awaited, awaited .. ':' .. network
local score = redis.call('ZSCORE', line, id)
local turn
if not score then
  leave(id)
  local r = redis.call('HMGET', turns, served, mine)
  turn = math.max(tonumber(r[1]) or 0, tonumber(r[2]) or 0) + 1
  local come = redis.call('HINCRBY', turns, 'come', 1) % 4096
  score = string.format('%.17g', turn + come / 2 ^ 32)
  redis.call('ZADD', line, score, id)
end
redis.call('ZADD', until_of, string.format('%.0f', latest), id)

local since = tonumber(redis.call('HGET', turns, 'since') or 0)
local rank = redis.call('ZRANK', line, id)
local before = rank
if awaited ~= '1' then
  before = rank + math.max(0, math.min(redis.call('ZCARD', first), 64 * (rank + 1) - since))
end

local row
if before < free then
  local tokens = tokens_of[fullest] - 1
  redis.call('HSET', KEYS[fullest], 'tokens', string.format('%.17g', tokens), 'at', string.format('%.0f', now))
  redis.call('PEXPIRE', KEYS[fullest], math.ceil(burst / rps * 1000) + 60000)
  leave(id)
  local last = tonumber(redis.call('HGET', turns, served) or 0)
  redis.call('HSET', turns, served, string.format('%.17g', math.max(last, math.floor(score))))
  redis.call('HSET', turns, 'since', awaited == '1' and since + 1 or 0)
  row = { 'turn', tostring(fullest - FIRST_KEY) }
else
  local for_ms
  if open_keys > 0 then
    for_ms = math.max(1, math.ceil((before + 1 - whole) * 1000 / (rps * open_keys)))
  else
    for_ms = opens_at - now + math.ceil(before * 1000 / rps)
  end
  if for_ms > within then
    leave(id)
    row = { 'too_late' }
  else
    if awaited ~= '1' and not turn and before > 0 then for_ms = math.min(within, math.max(for_ms, waited)) end
    row = { 'wait', string.format('%.0f', for_ms) }
  end
end
-- What is refused has used no turn of its network's.
if turn and row[1] ~= 'too_late' then redis.call('HSET', turns, mine, string.format('%.17g', turn)) end

local standing = redis.call('ZCARD', until_of)
if standing == 0 then
  redis.call('DEL', turns)
elseif redis.call('HLEN', turns) > 2 * standing + 1000 then
  -- Networks that have nobody in the line any more. Those that have keep the places that they were given.
  local kept = redis.call('HMGET', turns, 'served:0', 'served:1', 'since')
  redis.call('DEL', turns)
  redis.call('HSET', turns, 'served:0', kept[1] or 0, 'served:1', kept[2] or 0, 'since', kept[3] or 0)
end
for n = 1, 4 do redis.call('PEXPIRE', KEYS[n], 600000) end
return { row }
`);

const leave = createScript(`
for _, line in ipairs(KEYS) do redis.call('ZREM', line, ARGV[1]) end
return { {} }
`);

const hold = createScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local until_ms = string.format('%.0f', now + tonumber(ARGV[1]))
redis.call('HSET', KEYS[1], 'tokens', '0', 'at', until_ms, 'hold', until_ms)
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[1]) + 60000)
return { {} }
`);

/** Stands in the line of a tenant's lookups, or takes a lookup from the bucket of one of its API keys. */
export async function takeTurn(redis: Redis, keys: Keys, request: TurnRequest): Promise<Turn> {
  const { id, isAwaited, network, withinMs, waitedMs = 0, apiKeys, rate } = request;
  const rows = await take.run(
    redis,
    [...linesOf(keys), keys.lookupTurns(), ...apiKeys.map(({ keyId }) => keys.lookupBucket(keyId))],
    [
      id,
      isAwaited ? "1" : "0",
      network,
      Math.ceil(withinMs),
      Math.ceil(waitedMs),
      rate.rps,
      rate.burst,
      ...apiKeys.map(({ restsForMs }) => Math.ceil(restsForMs)),
    ],
  );
  const [status, detail] = rows[0] ?? [];
  switch (text(status)) {
    case "turn":
      return { status: "turn", keyId: apiKeys[number(detail)]?.keyId ?? "" };
    case "wait":
      return { status: "wait", forMs: number(detail) };
    case "too_late":
      return { status: "too_late" };
    default:
      throw new TypeError("The script of turns answered with an unknown status.");
  }
}

/** Leaves the line: the event has come another way. */
export async function leaveLine(redis: Redis, keys: Keys, id: string): Promise<void> {
  await leave.run(redis, linesOf(keys), [id]);
}

/** Empties the bucket of an API key and keeps it shut for `ms`: the vendor throttled it. */
export async function holdBucket(redis: Redis, keys: Keys, keyId: string, ms: number): Promise<void> {
  await hold.run(redis, [keys.lookupBucket(keyId)], [ms]);
}

function linesOf(keys: Keys): string[] {
  return [keys.awaitedLookups(), keys.otherLookups(), keys.lookupLineUntil()];
}
