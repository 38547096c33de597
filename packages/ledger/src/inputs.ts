import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { createScript, text } from "./script.ts";

/** One use of an event, to be claimed. Hashes are keyed and empty where the caller said nothing. */
export interface Use {
  readonly id: string;
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

/** What the first try learned; the same for every later one. */
export interface Inputs {
  readonly reused: boolean;
  readonly reusedElsewhere: boolean;
  /** How many submissions have used the event in this flow, this one included. */
  readonly useCount: number;
  /** As kept in the record, to be compared at publish. */
  readonly pinned: string;
}

/*
 * Two claims per event and flow: `any` by the first of all, `bound` by the first of whom nothing says that he is another.
 * The holder of `bound` is no replay, nor is the holder of `any` while nobody holds `bound`: a thief who presents a
 * stolen event first, from elsewhere, does not turn its owner into the replay.
 * A claim is `id|ip|user agent|user id`. The answer is pinned in the record before it leaves.
 */
const claim = createScript(`
local function part(claim, n)
  local at = 1
  for word in string.gmatch(claim .. '|', '([^|]*)|') do
    if at == n then return word end
    at = at + 1
  end
  return ''
end
local rows = {}
for n = 1, #KEYS / 2 do
  local record, uses = KEYS[n * 2 - 1], KEYS[n * 2]
  local id, bound, ip, agent, user, ttl = unpack(ARGV, n * 6 - 5, n * 6)
  local pinned = redis.call('HGET', record, 'i')
  if not pinned then
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
    pinned = reused .. '|' .. elsewhere .. '|' .. count
    if redis.call('EXISTS', record) == 1 then redis.call('HSET', record, 'i', pinned) end
  end
  rows[n] = { pinned }
end
return rows
`);

/** Claims each use and pins what it found under the submission; a repeat returns what was pinned. */
export async function pinInputs(redis: Redis, keys: Keys, uses: readonly Use[]): Promise<Inputs[]> {
  const rows = await claim.run(
    redis,
    uses.flatMap(({ id, eventId, flow }) => [keys.record(id), keys.claim(eventId, flow)]),
    uses.flatMap((use) => [use.id, use.bound ? "1" : "0", use.ipHash, use.userAgentHash, use.userIdHash, use.ttlMs]),
  );
  return uses.map((_, index) => {
    const pinned = text(rows[index]?.[0]);
    const [reused, elsewhere, count] = pinned.split("|");
    return { reused: reused === "1", reusedElsewhere: elsewhere === "1", useCount: Number(count), pinned };
  });
}
