import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { createScript } from "./script.ts";

/** A submission that is let go undecided, to be tried again later. */
export interface Release {
  readonly id: string;
  /** Whether a retry is spent; a snooze spends none. */
  readonly spendsRetry: boolean;
  /** Why and until when (unix ms) nothing happens; absent when it is only put back. */
  readonly snoozed?: { readonly why: string; readonly until: number };
}

// Only the try that was counted is given back: a stranger's token changes nothing, and what is decided has none.
// HDEL comes first because a full Redis lets it through, and after it the rest: nobody pays for a Redis that is full.
const letGo = createScript(`
local token = ARGV[1]
local rows = {}
for n, record in ipairs(KEYS) do
  local spends, why, until_ms = unpack(ARGV, n * 3 - 1, n * 3 + 1)
  local r = redis.call('HMGET', record, 'k', 'x')
  if r[1] == token then
    redis.call('HDEL', record, 'k')
    redis.call('HINCRBY', record, 't', -1)
    if tonumber(r[2] or '0') > 0 then redis.call('HINCRBY', record, 'x', -1) end
    if spends == '1' then redis.call('HINCRBY', record, 'n', 1) end
    if why ~= '' then redis.call('HSET', record, 'sw', why, 'su', until_ms) end
  end
  rows[n] = {}
end
return rows
`);

/** Gives the tries of `token` back, and notes why each submission waits. */
export async function letGoSubmissions(
  redis: Redis,
  keys: Keys,
  token: string,
  releases: readonly Release[],
): Promise<void> {
  await letGo.run(
    redis,
    releases.map(({ id }) => keys.record(id)),
    [
      token,
      ...releases.flatMap(({ spendsRetry, snoozed }) => [
        spendsRetry ? "1" : "0",
        snoozed?.why ?? "",
        snoozed?.until ?? "",
      ]),
    ],
  );
}
