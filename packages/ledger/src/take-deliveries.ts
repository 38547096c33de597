import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { DELIVERY_KEPT_MS } from "./plan-deliveries.ts";
import { createScript, number, text } from "./script.ts";

/** A delivery that is in this process's hand until its lease ends; then another may take it. */
export interface LeasedDelivery {
  readonly id: string;
  /** Unix ms, by Redis's clock; names the lease. */
  readonly leaseUntil: number;
  readonly body: string;
  /** When it was planned, unix ms. */
  readonly plannedAt: number;
  /** Tries that failed. */
  readonly failures: number;
}

/** Why an endpoint is on hold: it said 410, did nothing but fail, or somebody asked for it. */
export type PauseReason = "gone" | "failing" | "asked";

/** How an endpoint stands. */
export interface EndpointStanding {
  readonly paused: PauseReason | undefined;
  /** Deliveries it has not taken. */
  readonly undelivered: number;
  /** Age of the oldest of them in ms; 0 when there is none. */
  readonly oldestAgeMs: number;
  /** Those that were given up just now, as they were kept for too long. */
  readonly expired: number;
}

export interface TakeRequest {
  readonly endpoint: string;
  readonly count: number;
  /** Most at once, over all processes. */
  readonly maxInFlight: number;
  readonly leaseMs: number;
  /** A hold from before this time (unix ms) is over; 0 when none is. */
  readonly resumedAt: number;
}

const TRIM_PAGE = 1000;

// What frees comes first, so that a full Redis lets the rest through: what is taken grows nothing.
const take = createScript(`
local endpoint, undelivered, due, flying = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local count, max, lease, resumed, kept = unpack(ARGV)
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local old = redis.call('ZRANGEBYSCORE', undelivered, '-inf', now - kept, 'LIMIT', 0, ${TRIM_PAGE})
if #old > 0 then
  for _, zset in ipairs({ undelivered, due, flying }) do redis.call('ZREM', zset, unpack(old)) end
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', flying, '-inf', now)) do
  redis.call('ZREM', flying, id)
  redis.call('ZADD', due, now, id)
end
local state = redis.call('HMGET', endpoint, 'p', 'pa', 'r')
if state[1] and tonumber(state[2]) <= tonumber(resumed) then
  redis.call('HDEL', endpoint, 'p', 'pa', 'f')
  state[1] = false
end
local oldest = redis.call('ZRANGE', undelivered, 0, 0, 'WITHSCORES')
local rows = { { state[1] or '', redis.call('ZCARD', undelivered), oldest[2] and now - oldest[2] or 0, #old } }
local room = math.min(count, max - redis.call('ZCARD', flying))
if state[1] or now < tonumber(state[3] or '0') or room <= 0 then return rows end
local until_ms = now + lease
for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, room)) do
  redis.call('ZREM', due, id)
  redis.call('ZADD', flying, until_ms, id)
  rows[#rows + 1] = { id, until_ms }
end
if #rows > 1 then redis.call('PEXPIRE', flying, kept) end
return rows
`);

/** Takes what is due, the longest due first, and tells how the endpoint stands. What is on hold is not taken. */
export async function takeDeliveries(
  redis: Redis,
  keys: Keys,
  { endpoint, count, maxInFlight, leaseMs, resumedAt }: TakeRequest,
): Promise<{ readonly standing: EndpointStanding; readonly deliveries: readonly LeasedDelivery[] }> {
  const [told = [], ...leases] = await take.run(
    redis,
    [
      keys.endpoint(endpoint),
      keys.undelivered(endpoint),
      keys.deliveriesDue(endpoint),
      keys.deliveriesInFlight(endpoint),
    ],
    [count, maxInFlight, leaseMs, resumedAt, DELIVERY_KEPT_MS],
  );
  const deliveries = await Promise.all(
    leases.map(async ([id, until]) => readDelivery(redis, keys, text(id), number(until))),
  );
  return {
    standing: {
      paused: readPause(text(told[0])),
      undelivered: number(told[1]),
      oldestAgeMs: number(told[2]),
      expired: number(told[3]),
    },
    deliveries: deliveries.flatMap((one) => one ?? []),
  };
}

// Undefined when another process settled it after its lease had ended.
async function readDelivery(
  redis: Redis,
  keys: Keys,
  id: string,
  leaseUntil: number,
): Promise<LeasedDelivery | undefined> {
  const [body, plannedAt, failures] = await redis.hmget(keys.delivery(id), "b", "at", "n");
  if (body === null || body === undefined) return undefined;
  return { id, leaseUntil, body, plannedAt: Number(plannedAt), failures: Number(failures) };
}

/** Reads the word that Redis holds; nothing where it is empty. */
export function readPause(word: string): PauseReason | undefined {
  switch (word) {
    case "":
      return undefined;
    case "gone":
    case "failing":
    case "asked":
      return word;
    default:
      throw new TypeError(`An endpoint is paused for an unknown reason: ${word}`);
  }
}
