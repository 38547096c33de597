import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { LAY_ASIDE, letterCaps, letterKeys } from "./lay-aside.ts";
import { createScript, text } from "./script.ts";
import type { LeasedDelivery } from "./take-deliveries.ts";

/** What became of a try. */
export type Settlement =
  | { readonly outcome: "delivered" }
  /** It failed, and is tried again after `retryInMs`. The endpoint is left alone for `restMs`. */
  | { readonly outcome: "failed"; readonly retryInMs: number; readonly restMs: number }
  /** It was the last try: it becomes a dead letter. */
  | { readonly outcome: "dead"; readonly reason: string; readonly at: number }
  /** The endpoint is gone: it goes on hold, and this delivery with it. */
  | { readonly outcome: "gone" }
  /** It was not tried, and may be after `retryInMs`. */
  | { readonly outcome: "put_back"; readonly retryInMs: number };

/** `paused` when this failure put the endpoint on hold; `late` when the lease had ended, and nothing was done. */
export type Settled = "settled" | "paused" | "late";

/*
 * What frees comes first, so that a full Redis lets the rest through. A delivery that was taken is gone whoever says
 * so; anything else may be said only under the lease, as another may have it in hand by now.
 */
const settle = createScript(`
${LAY_ASIDE}
local endpoint, undelivered, due, flying, delivery, dead, tally = unpack(KEYS)
local id, lease, outcome, retry_in, rest, pause_after, max_dead, max_dead_bytes, name, reason, at = unpack(ARGV)
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function drop()
  for _, zset in ipairs({ undelivered, due, flying }) do redis.call('ZREM', zset, id) end
  redis.call('DEL', delivery)
end
if outcome == 'delivered' then
  drop()
  redis.call('HDEL', endpoint, 'f', 'r')
  redis.call('HSET', endpoint, 'ok', now)
  return { { 'settled' } }
end
if tonumber(redis.call('ZSCORE', flying, id) or '0') ~= tonumber(lease) then return { { 'late' } } end
if outcome == 'dead' then
  local body = redis.call('HMGET', delivery, 'b', 'n')
  drop()
  lay_aside(dead, tally, max_dead, max_dead_bytes, 'endpoint', name, 'delivery', id, 'code', reason, 'at', at,
    'deliveries', tostring((body[2] or 0) + 1), 'body', body[1] or '')
else
  redis.call('ZREM', flying, id)
  redis.call('ZADD', due, now + retry_in, id)
end
if outcome == 'put_back' then return { { 'settled' } } end
if outcome == 'failed' then redis.call('HINCRBY', delivery, 'n', 1) end
redis.call('HSETNX', endpoint, 'f', now)
if tonumber(rest) > 0 then redis.call('HSET', endpoint, 'r', now + rest) end
local failing_for = now - redis.call('HGET', endpoint, 'f')
if outcome ~= 'gone' and failing_for < tonumber(pause_after) then return { { 'settled' } } end
if redis.call('HSETNX', endpoint, 'p', outcome == 'gone' and 'gone' or 'failing') == 0 then return { { 'settled' } } end
redis.call('HSET', endpoint, 'pa', now)
return { { 'paused' } }
`);

/**
 * Says what became of a try. An endpoint that did nothing but fail for `pauseAfterMs` goes on hold. Repeating it is safe,
 * but for a failure, which is then `late`.
 */
export async function settleDelivery(
  redis: Redis,
  keys: Keys,
  endpoint: string,
  { id, leaseUntil }: Pick<LeasedDelivery, "id" | "leaseUntil">,
  settlement: Settlement,
  pauseAfterMs: number,
): Promise<Settled> {
  const { outcome } = settlement;
  const retryInMs = outcome === "failed" || outcome === "put_back" ? settlement.retryInMs : 0;
  const restMs = outcome === "failed" ? settlement.restMs : 0;
  const [reason, at] = outcome === "dead" ? [settlement.reason, settlement.at] : ["", 0];
  const rows = await settle.run(
    redis,
    [
      keys.endpoint(endpoint),
      keys.undelivered(endpoint),
      keys.deliveriesDue(endpoint),
      keys.deliveriesInFlight(endpoint),
      keys.delivery(id),
      ...letterKeys(keys, "delivery"),
    ],
    [
      id,
      leaseUntil,
      outcome,
      Math.ceil(retryInMs),
      Math.ceil(restMs),
      pauseAfterMs,
      ...letterCaps("delivery"),
      endpoint,
      reason,
      at,
    ],
  );
  return readSettled(text(rows[0]?.[0]));
}

/** Ends an endpoint's hold: what was held is due at once. */
export async function resumeEndpoint(redis: Redis, keys: Keys, endpoint: string): Promise<void> {
  await redis.hdel(keys.endpoint(endpoint), "p", "pa", "f", "r");
}

function readSettled(word: string): Settled {
  switch (word) {
    case "settled":
    case "paused":
    case "late":
      return word;
    default:
      throw new TypeError(`The settle script answered with an unknown word: ${word}`);
  }
}
