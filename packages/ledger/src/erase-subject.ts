import { type Keys, LETTER_KINDS } from "@assay/protocol";
import type { Redis } from "ioredis";
import { ARCHIVE_GROUP } from "./archive-keep.ts";
import { dropLetters } from "./dead-letters.ts";
import type { Holding, Store } from "./holding.ts";
import { readMeta } from "./record.ts";
import { createScript, number } from "./script.ts";
import { strippedMeta } from "./subject.ts";
import type { Finding, Findings, SubjectIds } from "./subject-search.ts";

/** How many things of each store. */
export type StoreCounts = { readonly [store in Store]?: number };

/*
 * What is decided goes. What is not keeps what its verdict is made by, because whoever waits for it is still to get one:
 * its doorbell finds nothing in it but that it was erased. First HDEL, which a full Redis lets through.
 */
const empty = createScript(`
local emptied = 0
for n, record in ipairs(KEYS) do
  local r = redis.call('HMGET', record, 'm', 's')
  if r[2] then
    emptied = emptied + redis.call('DEL', record)
  elseif r[1] then
    redis.call('HDEL', record, 'p', 'i', 'ic', 'oc', 'o', 'ol', 'sw', 'su')
    redis.call('HSET', record, 'd', '', 'm', ARGV[n])
    emptied = emptied + 1
  end
end
return { { emptied } }
`);

const unarchive = createScript(`
local archive, backlog = KEYS[1], KEYS[2]
local group, entry, bytes = unpack(ARGV)
redis.call('XACK', archive, group, entry)
local dropped = redis.call('XDEL', archive, entry)
if dropped == 1 then redis.call('HINCRBY', backlog, 'bytes', -bytes) end
return { { dropped } }
`);

/**
 * Erases what was found. What only hangs on the subject's submissions and events goes before what names the subject, so
 * that whoever is killed midway and comes again finds the rest. Safe to repeat. Returns how much there was of each.
 */
export async function eraseFindings(
  redis: Redis,
  keys: Keys,
  findings: Findings,
  ids: SubjectIds,
): Promise<StoreCounts> {
  const counts = new Map<Store, number>();
  for (const rank of RANKS) {
    const ofRank = findings.list.filter((finding) => rankOf(finding) === rank);
    for (let from = 0; from < ofRank.length; from += ERASED_AT_ONCE) {
      const erasing = ofRank.slice(from, from + ERASED_AT_ONCE).map(async ({ holding }) => {
        const erased = await eraseHolding(redis, keys, holding, findings, ids);
        counts.set(holding.store, (counts.get(holding.store) ?? 0) + erased);
      });
      // Whoever gives up begins nothing more, and leaves nothing behind that still runs.
      const ended = await Promise.allSettled(erasing);
      for (const one of ended) if (one.status === "rejected") throw one.reason;
    }
  }
  const places = findings.networks.flatMap((network) => [`0:${network}`, `1:${network}`]);
  if (places.length > 0) await redis.hdel(keys.lookupTurns(), ...places);
  return Object.fromEntries(counts);
}

/** How much was found of each. */
export function countFindings({ list }: Findings): StoreCounts {
  const counts = new Map<Store, number>();
  for (const { holding } of list) counts.set(holding.store, (counts.get(holding.store) ?? 0) + 1);
  return Object.fromEntries(counts);
}

const RANKS = [0, 1, 2] as const;
const ERASED_AT_ONCE = 50;

/** Documents come last, and of these what tells who the subject is. */
function rankOf({ holding: { store }, isDirect }: Finding): (typeof RANKS)[number] {
  const isDocument = store === "submissions" || store === "verdicts" || store === "events" || store.endsWith("_stream");
  return isDirect ? 2 : isDocument ? 1 : 0;
}

async function eraseHolding(
  redis: Redis,
  keys: Keys,
  { store, key, entryId = "", bytes = 0, submissionIds, eventIds, members }: Holding,
  findings: Findings,
  ids: SubjectIds,
): Promise<number> {
  const mine = submissionIds.filter((id) => ids.submissions.has(id));
  switch (store) {
    case "submissions": {
      const [meta] = await redis.hmget(key, "m");
      const known = readMeta(meta ?? "") ?? { kind: "lookup" };
      const rows = await empty.run(redis, [key], [JSON.stringify(strippedMeta(known))]);
      return number(rows[0]?.[0]);
    }
    case "verdicts":
    case "outcomes":
    case "events":
    case "claims":
    case "lookups":
      return await redis.unlink(key);
    case "event_lists":
      if (eventIds.some((id) => ids.events.has(id))) return await redis.unlink(key);
      return await takeFromList(redis, key, mine);
    case "reference_lists":
      return await takeFromList(redis, key, mine);
    case "counters":
      if (findings.ownCounters.has(key)) return await redis.unlink(key);
      return (await takeMembers(redis, key, members ?? [...ids.events, ...ids.submissions, ...findings.members])) > 0
        ? 1
        : 0;
    case "deliveries": {
      const id = key.slice(keys.delivery("").length);
      // Who has it in hand under a lease finds that the lease is over, and does nothing.
      for (const line of findings.deliveryLines) await redis.zrem(line, id);
      return await redis.unlink(key);
    }
    case "verdict_stream":
      return await redis.xdel(key, entryId);
    case "archive_stream": {
      const rows = await unarchive.run(redis, [key, keys.archiveBacklog()], [ARCHIVE_GROUP, entryId, bytes]);
      return number(rows[0]?.[0]);
    }
    case "dead_letters": {
      const kind = LETTER_KINDS.find((known) => keys.deadLetters(known) === key);
      return kind === undefined ? 0 : await dropLetters(redis, keys, kind, [entryId]);
    }
  }
}

async function takeFromList(redis: Redis, key: string, members: readonly string[]): Promise<number> {
  let taken = 0;
  for (const member of members) taken += await redis.lrem(key, 0, member);
  return taken > 0 ? 1 : 0;
}

async function takeMembers(redis: Redis, key: string, members: readonly string[]): Promise<number> {
  let taken = 0;
  for (let from = 0; from < members.length; from += 500)
    taken += await redis.zrem(key, ...members.slice(from, from + 500));
  return taken;
}
