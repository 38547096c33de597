import type { Keys, Lane } from "@assay/protocol";
import type { Redis } from "ioredis";
import { createScript, number } from "./script.ts";

// Looks again inside the script: an id that was accepted anew meanwhile stays.
const forget = createScript(`
local forgotten = 0
for n = 1, #KEYS / 2 do
  local record, pending = KEYS[n * 2 - 1], KEYS[n * 2]
  local r = redis.call('HMGET', record, 'm', 's')
  if not r[1] or r[2] then forgotten = forgotten + redis.call('ZREM', pending, ARGV[n]) end
end
return { { forgotten } }
`);

/** What waits in a lane beyond its time. */
export interface Overdue {
  /** Undecided and not snoozed: their doorbell may be lost. */
  readonly ids: readonly string[];
  /** Pending entries without an undecided record; they have been removed. */
  readonly forgotten: number;
}

/** Ids of a lane received before `before` (unix ms), at most `limit`, oldest first. */
export async function findOverdue(
  redis: Redis,
  keys: Keys,
  lane: Lane,
  options: { before: number; now: number; limit: number },
): Promise<Overdue> {
  const pending = keys.pending(lane);
  const candidates = await redis.zrange(pending, "-inf", String(options.before), "BYSCORE", "LIMIT", 0, options.limit);
  const ids: string[] = [];
  const gone: string[] = [];
  const records = await Promise.all(candidates.map((id) => redis.hmget(keys.record(id), "m", "s", "su")));
  for (const [index, id] of candidates.entries()) {
    const [meta, streamId, until] = records[index] ?? [];
    if (typeof meta !== "string" || typeof streamId === "string") gone.push(id);
    else if (Number(until ?? 0) <= options.now) ids.push(id);
  }
  return { ids, forgotten: gone.length === 0 ? 0 : await forgetPending(redis, keys, pending, gone) };
}

async function forgetPending(redis: Redis, keys: Keys, pending: string, ids: readonly string[]): Promise<number> {
  const scriptKeys = ids.flatMap((id) => [keys.record(id), pending]);
  const rows = await forget.run(redis, scriptKeys, ids);
  return number(rows[0]?.[0]);
}

/** How much waits in a lane, and since when (unix ms; absent when nothing does). */
export async function pendingOf(redis: Redis, keys: Keys, lane: Lane): Promise<{ count: number; oldest?: number }> {
  const pending = keys.pending(lane);
  const [count, oldest] = await Promise.all([redis.zcard(pending), redis.zrange(pending, 0, "0", "WITHSCORES")]);
  return { count, ...(oldest[1] === undefined ? {} : { oldest: Number(oldest[1]) }) };
}
