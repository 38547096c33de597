import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { createScript, number } from "./script.ts";

/** The vendor's limit on one API key. */
export interface LookupRate {
  /** Lookups a second. */
  readonly rps: number;
  /** Lookups at once. */
  readonly burst: number;
}

// Redis's clock fills the bucket, so that every worker sees the same. A clock set back (a failover to another machine)
// must not drain it.
const take = createScript(`
local rps, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local r = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local elapsed = math.max(0, now - (tonumber(r[2]) or now))
local tokens = math.min(burst, (tonumber(r[1]) or burst) + elapsed * rps / 1000)
local wait = 0
if tokens >= 1 then tokens = tokens - 1 else wait = math.ceil((1 - tokens) * 1000 / rps) end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rps * 1000) + 60000)
return { { tostring(wait) } }
`);

/** Takes one lookup from the bucket of an API key. Returns 0, or the ms to wait before asking again. */
export async function takeLookup(redis: Redis, keys: Keys, keyFingerprint: string, rate: LookupRate): Promise<number> {
  const rows = await take.run(redis, [keys.lookupBucket(keyFingerprint)], [rate.rps, rate.burst]);
  return number(rows[0]?.[0]);
}
