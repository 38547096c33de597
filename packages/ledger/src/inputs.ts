import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { COUNT, type PlannedCounter, TELL } from "./counting.ts";
import { createScript, text } from "./script.ts";

/** What one submission asks of shared memory before it can be judged. */
export interface PinRequest {
  readonly id: string;
  /** Unix ms. */
  readonly receivedAt: number;
  /** When the event was made, unix ms. More than 10 s after `receivedAt` is a wrong clock, and is taken as that. */
  readonly eventTime: number;
  /** The time whose counters it is told, unix ms; `receivedAt` when absent. */
  readonly asOf?: number;
  /** Absent where nobody presented the event. */
  readonly use?: Use;
  /** At most one of each definition. */
  readonly counters: readonly CounterRequest[];
}

/** One use of an event, to be claimed. Hashes are keyed and empty where the caller said nothing. */
export interface Use {
  /** The event id after unseal or fetch, never the claimed one. */
  readonly eventId: string;
  /** Flow, `-` for none, `*` when an event may be used once in all. */
  readonly flow: string;
  /** Whether no binding check is true: nothing says that someone else presents the event. */
  readonly bound: boolean;
  readonly ipHash: string;
  readonly userAgentHash: string;
  readonly userIdHash: string;
  /** How long the claim is kept at least from now on, in ms. */
  readonly ttlMs: number;
}

/** A counter to be read, and what this submission adds to it. */
export interface CounterRequest {
  /** Hash of its key's values, as `Keys.counter` takes it. */
  readonly key: string;
  /** 16 hexadecimal digits that stand for what it counts. */
  readonly definition: string;
  readonly windowMs: number;
  /** What is counted if the claim finds no replay: the event's id, or the hash of a distinct value. */
  readonly member?: string;
  /** What outcomes that are told later will count. */
  readonly plan?: PlannedCounter;
}

/** What the first try learned; the same for every later one. */
export interface Inputs {
  /** Absent where nobody presented the event. */
  readonly claim?: Claim;
  /** In the order of the request's counters. */
  readonly counters: readonly CounterValue[];
  /** All of it as text, to be compared at publish. */
  readonly pinned: string;
}

export interface Claim {
  readonly reused: boolean;
  readonly reusedElsewhere: boolean;
  /** How many submissions have used the event in this flow, this one included. */
  readonly useCount: number;
}

export interface CounterValue {
  /** At most 1,000. Holds this submission if that counts. */
  readonly value: number;
  /** Whether the counter is younger than its window, so that it cannot hold all of it yet. */
  readonly isWarming: boolean;
}

const MAX_AHEAD_MS = 10_000;

/*
 * Two claims per event and flow: `any` by the first of all, `bound` by the first of whom nothing says that he is another.
 * The holder of `bound` is no replay, nor is the holder of `any` while nobody holds `bound`: a thief who presents a
 * stolen event first, from elsewhere, does not turn its owner into the replay.
 * A claim is `id|ip|user agent|user id`. The answer is pinned in the record before it leaves.
 */
const CLAIM = `
local function part(claim, n)
  local at = 1
  for word in string.gmatch(claim .. '|', '([^|]*)|') do
    if at == n then return word end
    at = at + 1
  end
  return ''
end
local function claim(uses, id, bound, ip, agent, user, ttl)
  local mine = id .. '|' .. ip .. '|' .. agent .. '|' .. user
  redis.call('HSETNX', uses, 'any', mine)
  if bound == '1' then redis.call('HSETNX', uses, 'bound', mine) end
  local count = redis.call('HINCRBY', uses, 'uses', 1)
  if redis.call('PTTL', uses) < tonumber(ttl) then redis.call('PEXPIRE', uses, ttl) end
  local held = redis.call('HMGET', uses, 'bound', 'any')
  local holder = held[1] or held[2]
  local reused, elsewhere = '0', '0'
  if part(holder, 1) ~= id then
    reused = '1'
    for p, value in ipairs({ ip, agent, user }) do
      local theirs = part(holder, p + 1)
      if value ~= '' and theirs ~= '' and value ~= theirs then elsewhere = '1' end
    end
  end
  return reused .. '|' .. elsewhere .. '|' .. count
end
`;

/*
 * A counter's value is what it holds of (as_of - window, as_of], and on to the event's own time if its clock is ahead;
 * `as_of` is when it was received, but for what comes long after its time. A distinct value that a later submission has raised beyond that, or a window that the event itself has left,
 * does not keep the submission from counting itself.
 * `since` is refreshed once a batch by a SET, which a full Redis refuses: nothing has happened before it.
 */
const READ = `
local known_since = {}
local function since_of(since_key, received_at, window_ms)
  if not known_since[since_key] then
    known_since[since_key] = tonumber(redis.call('GET', since_key) or received_at)
    redis.call('SET', since_key, known_since[since_key], 'PX', 2 * window_ms + 86400000)
  end
  return known_since[since_key]
end
local function read(zset, since_key, received_at, as_of, event_time, window_ms, member)
  local since = since_of(since_key, received_at, window_ms)
  if member ~= '' then count(zset, member, event_time, received_at, window_ms) end
  local before, last = as_of - window_ms, math.max(as_of, event_time)
  local value = redis.call('ZCOUNT', zset, string.format('(%.0f', before), last)
  if member ~= '' then
    local score = tonumber(redis.call('ZSCORE', zset, member) or before)
    if score <= before or score > last then value = math.min(value + 1, 1000) end
  end
  return value .. (as_of - since < window_ms and 'w' or '')
end
`;

/*
 * Whatever is pinned is only answered. A retry under other rules asks for what is new to it, and that alone is counted.
 * A record without a digest was erased: nothing is claimed and counted of it, as nobody would take that back.
 * The plan grows as text, because an empty list would not survive cjson.
 */
const pin = createScript(`
${COUNT}${TELL}${CLAIM}${READ}
local k, a = 0, 0
local function key() k = k + 1 return KEYS[k] end
local function args(n) a = a + n return unpack(ARGV, a - n + 1, a) end
local rows = {}
while k < #KEYS do
  local record, uses = key(), key()
  local id, received_at, as_of, event_time, is_presented, bound, ip, agent, user, ttl, counters = args(11)
  received_at, as_of, event_time = tonumber(received_at), tonumber(as_of), tonumber(event_time)
  local r = redis.call('HMGET', record, 'd', 'i', 'ic', 'oc')
  local claimed, counted, plan = r[2] or '', r[3] or '', r[4] or ''
  local is_erased = r[1] == ''
  if claimed == '' and is_presented == '1' and not is_erased then
    claimed = claim(uses, id, bound, ip, agent, user, ttl)
    if r[1] then redis.call('HSET', record, 'i', claimed) end
  end
  local is_replay = string.sub(claimed, 1, 1) == '1'
  local values, planned, zsets = {}, {}, {}
  for n = 1, tonumber(counters) do
    local zset, since_key = key(), key()
    local definition, window_ms, member, planning = args(4)
    local value = string.match(counted, definition .. '=(%w+),')
    if not value then
      local counting = (is_replay or is_erased) and '' or member
      value = read(zset, since_key, received_at, as_of, event_time, tonumber(window_ms), counting)
      counted = counted .. definition .. '=' .. value .. ','
      if planning ~= '' then
        plan = plan == '' and '[' .. planning .. ']' or string.sub(plan, 1, -2) .. ',' .. planning .. ']'
        planned[#planned + 1], zsets[#zsets + 1] = cjson.decode(planning), zset
      end
    end
    values[n] = value
  end
  if r[1] and not is_erased and counted ~= (r[3] or '') then
    redis.call('HSET', record, 'ic', counted)
    if #planned > 0 then
      redis.call('HSET', record, 'oc', plan)
      tell_all(record, planned, zsets)
    end
  end
  rows[#rows + 1] = { claimed, unpack(values) }
end
return rows
`);

/**
 * Claims the event, counts and reads what each submission asks for, and pins what it found under the submission, in one
 * round trip for all; a repeat returns what was pinned.
 */
export async function pinInputs(redis: Redis, keys: Keys, requests: readonly PinRequest[]): Promise<Inputs[]> {
  const scriptKeys: string[] = [];
  const args: (string | number)[] = [];
  for (const { id, receivedAt, asOf = receivedAt, eventTime, use, counters } of requests) {
    // Every place in KEYS is filled: without a use the record's own key stands in, and is not used as such.
    scriptKeys.push(keys.record(id), use === undefined ? keys.record(id) : keys.claim(use.eventId, use.flow));
    const madeAt = Math.min(eventTime, receivedAt + MAX_AHEAD_MS);
    args.push(id, receivedAt, asOf, madeAt, ...argsOfUse(use), counters.length);
    for (const { key, definition, windowMs, member, plan } of counters) {
      scriptKeys.push(keys.counter(key), keys.counterSince(definition));
      args.push(definition, windowMs, member ?? "", plan === undefined ? "" : JSON.stringify(plan));
    }
  }
  const rows = await pin.run(redis, scriptKeys, args);
  return requests.map((_, index) => readInputs((rows[index] ?? []).map(text)));
}

/**
 * Takes back what a submission counted, claimed and stored by its event, which was erased meanwhile. A distinct value stays: others
 * may have counted the same. Safe to repeat.
 */
export async function unpinInputs(
  redis: Redis,
  keys: Keys,
  { use, counters }: PinRequest,
  eventId: string,
): Promise<void> {
  // Whoever looked the event up could not know yet whose it is.
  await redis.unlink(keys.storedEvent(eventId), ...(use === undefined ? [] : [keys.claim(use.eventId, use.flow)]));
  const counted = counters.filter(({ member }) => member === eventId);
  await Promise.all(counted.map(({ key }) => redis.zrem(keys.counter(key), eventId)));
}

function argsOfUse(use: Use | undefined): (string | number)[] {
  if (use === undefined) return ["0", "0", "", "", "", 0];
  return ["1", use.bound ? "1" : "0", use.ipHash, use.userAgentHash, use.userIdHash, use.ttlMs];
}

/** What was learned, from a claim (empty where there is none) and the values of counters as they are pinned. */
export function readInputs([claimed = "", ...values]: readonly string[]): Inputs {
  return {
    ...(claimed === "" ? {} : { claim: readClaim(claimed) }),
    counters: values.map((value) => ({ value: Number.parseInt(value, 10), isWarming: value.endsWith("w") })),
    pinned: [claimed, ...values].join("|"),
  };
}

function readClaim(claimed: string): Claim {
  const [reused, elsewhere, count] = claimed.split("|");
  return { reused: reused === "1", reusedElsewhere: elsewhere === "1", useCount: Number(count) };
}
