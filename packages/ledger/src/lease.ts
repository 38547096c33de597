import type { Redis } from "ioredis";
import { createScript, number } from "./script.ts";

const hold = createScript(`
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return { { '0' } } end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return { { '1' } }
`);

const release = createScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return {}
`);

/** Takes or keeps a lease for `ttlMs`. Returns whether `holder` has it. */
export async function holdLease(redis: Redis, key: string, holder: string, ttlMs: number): Promise<boolean> {
  const rows = await hold.run(redis, [key], [holder, ttlMs]);
  return number(rows[0]?.[0]) === 1;
}

/** Gives a lease back, if `holder` has it. */
export async function releaseLease(redis: Redis, key: string, holder: string): Promise<void> {
  await release.run(redis, [key], [holder]);
}
