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
 * The line is self-clocked fair queueing: each network's lookups are numbered from the turn that is served now, so that
 * one that wants a thousand gets one while others want one each, and forged ids of one network hold up nobody else. One
 * that somebody waits for takes a sixty-fourth of a turn: in effect it goes first, and yet the others never stand still.
 * Whoever has as many free lookups as there are places before it takes its own at once: those before it find theirs.
 */
const take = createScript(`
local line, until_of, turns = KEYS[1], KEYS[2], KEYS[3]
local id, awaited, network, within, rps, burst = unpack(ARGV, 1, 6)
rps, burst = tonumber(rps), tonumber(burst)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local latest = now + within
local function leave(who)
  redis.call('ZREM', line, who)
  redis.call('ZREM', until_of, who)
end
for _, gone in ipairs(redis.call('ZRANGE', until_of, '-inf', now - 1, 'BYSCORE', 'LIMIT', 0, 100)) do leave(gone) end

local free, whole, open_keys, opens_at, fullest, tokens_of = 0, 0, 0, math.huge, nil, {}
for n = 4, #KEYS do
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

local turn = tonumber(redis.call('ZSCORE', line, id) or nil)
local mine = not turn and awaited .. ':' .. network
if mine then
  local share = awaited == '1' and 1 / 64 or 1
  local served, last = unpack(redis.call('HMGET', turns, 'served', mine))
  turn = math.max(tonumber(served) or 0, tonumber(last) or 0) + share
  redis.call('ZADD', line, string.format('%.17g', turn), id)
end
redis.call('ZADD', until_of, string.format('%.0f', latest), id)
local before = redis.call('ZRANK', line, id)

local row
if before < free then
  local tokens = tokens_of[fullest] - 1
  redis.call('HSET', KEYS[fullest], 'tokens', string.format('%.17g', tokens), 'at', string.format('%.0f', now))
  redis.call('PEXPIRE', KEYS[fullest], math.ceil(burst / rps * 1000) + 60000)
  leave(id)
  if turn > (tonumber(redis.call('HGET', turns, 'served') or 0)) then
    redis.call('HSET', turns, 'served', string.format('%.17g', turn))
  end
  row = { 'turn', tostring(fullest - 4) }
else
  local at
  if open_keys > 0 then
    at = now + math.max(1, math.ceil((before + 1 - whole) * 1000 / (rps * open_keys)))
  else
    at = opens_at + math.ceil(before * 1000 / rps)
  end
  if at > latest then
    leave(id)
    row = { 'too_late' }
  else
    row = { 'wait', string.format('%.0f', at - now) }
  end
end

-- What is refused has used no turn of its network's.
if mine and row[1] ~= 'too_late' then redis.call('HSET', turns, mine, string.format('%.17g', turn)) end
local standing = redis.call('ZCARD', line)
if standing == 0 then
  redis.call('DEL', turns)
elseif redis.call('HLEN', turns) > 2 * standing + 100 then
  local served = tonumber(redis.call('HGET', turns, 'served') or 0)
  local all = redis.call('HGETALL', turns)
  for n = 1, #all, 2 do
    if all[n] ~= 'served' and tonumber(all[n + 1]) <= served then redis.call('HDEL', turns, all[n]) end
  end
end
for n = 1, 3 do redis.call('PEXPIRE', KEYS[n], 600000) end
return { row }
`);

const leave = createScript(`
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
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
  const { id, isAwaited, network, withinMs, apiKeys, rate } = request;
  const rows = await take.run(
    redis,
    [
      keys.lookupLine(),
      keys.lookupLineUntil(),
      keys.lookupTurns(),
      ...apiKeys.map(({ keyId }) => keys.lookupBucket(keyId)),
    ],
    [
      id,
      isAwaited ? "1" : "0",
      network,
      Math.ceil(withinMs),
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
  await leave.run(redis, [keys.lookupLine(), keys.lookupLineUntil()], [id]);
}

/** Empties the bucket of an API key and keeps it shut for `ms`: the vendor throttled it. */
export async function holdBucket(redis: Redis, keys: Keys, keyId: string, ms: number): Promise<void> {
  await hold.run(redis, [keys.lookupBucket(keyId)], [ms]);
}
