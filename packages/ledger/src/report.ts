import { isRecord, type Keys, type Outcome, outcomeDigest } from "@assay/protocol";
import type { Redis } from "ioredis";
import { readAbilities } from "./abilities.ts";
import { ARCHIVE_GROUP, KEEP } from "./archive-keep.ts";
import { COUNT, TELL } from "./counting.ts";
import { referenceHash } from "./keyed-hash.ts";
import { readMeta } from "./record.ts";
import { createScript, text } from "./script.ts";

/** An outcome at the door. */
export interface Report {
  /** Names the caller's operation: telling it twice is once. */
  readonly id: string;
  readonly outcome: Outcome;
}

/** What became of a report. */
export type Reported =
  /** duplicate: told before, and counted then. */
  | { readonly status: "accepted" | "duplicate"; readonly submissionId: string }
  /** The id was used for another outcome. */
  | { readonly status: "conflict" }
  /** There is no such submission, or no longer. */
  | { readonly status: "missing" }
  /** `occurred_at` is more than 10 s after Redis's time. */
  | { readonly status: "ahead" }
  /** 16 outcomes wait for the submission's counters already. */
  | { readonly status: "full" };

const MAX_AHEAD_MS = 10_000;
const TTL_MS = 86_400_000;

/*
 * All or nothing: the first write is the SET, which a full Redis refuses. It is kept for as long as the record at least.
 * `changed` when the plan is not the one whose counters are in KEYS. A submission that is undecided and has no plan may
 * still get one, so that none of its outcomes may be forgotten yet.
 */
const report = createScript(`
${COUNT}${TELL}${KEEP}
local told, record, archive, backlog = unpack(KEYS, 1, 4)
local digest, submission, plan, outcome, label, occurred_at, max_ahead, ttl = unpack(ARGV, 1, 8)
local id, group, max_archive_bytes = unpack(ARGV, 9)
local known = redis.call('GET', told)
if known then return { { 'known', known } } end
local r = redis.call('HMGET', record, 'd', 's', 'oc', 'o')
if not r[1] then return { { 'missing' } } end
if (r[3] or '') ~= plan then return { { 'changed' } } end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local at = tonumber(occurred_at) or now
if at > now + max_ahead then return { { 'ahead' } } end
local lines = r[4] or ''
local waits = plan == '' and not r[2]
if waits and select(2, string.gsub(lines, '\\n', '')) >= 16 then return { { 'full' } } end
local fields = {}
if outcome ~= '' then fields[#fields + 1] = '"outcome":"' .. outcome .. '"' end
if label ~= '' then fields[#fields + 1] = '"label":"' .. label .. '"' end
fields[#fields + 1] = '"occurred_at":' .. string.format('%.0f', at)
local entry = '{' .. table.concat(fields, ',') .. '}'
local line = entry .. '\\n'
redis.call('SET', told, digest .. '|' .. submission, 'PX', math.max(ttl, redis.call('PTTL', record)))
lines = lines .. line
if select(2, string.gsub(lines, '\\n', '')) > 32 then lines = string.gsub(lines, '^[^\\n]*\\n', '') end
redis.call('HSET', record, 'o', lines)
if label ~= '' then redis.call('HSET', record, 'ol', label) end
if plan ~= '' then tell(cjson.decode(plan), { unpack(KEYS, 5) }, line) end
if max_archive_bytes ~= '0' then
  local kept = { 't', 'label', 'i', id, 'a', submission, 'o', entry, 'r', string.format('%.0f', now) }
  keep(archive, backlog, group, max_archive_bytes, kept)
end
return { { 'accepted', submission } }
`);

/**
 * Finds the submission that an outcome is about, counts the outcome in its counters and keeps it in its record.
 * A submission is found by event id or reference once it is decided: the newest that a caller presented, else the
 * newest. Where there is an archive it goes there too, unless the submission is a test. Safe to repeat with the same id. `hashKey` is the installation's
 * own.
 */
export async function reportOutcome(
  redis: Redis,
  keys: Keys,
  { id, outcome }: Report,
  hashKey: string,
): Promise<Reported> {
  const digest = outcomeDigest(outcome);
  const told = keys.outcome(id);
  for (;;) {
    // First, because what is found by an event or a reference may be another submission by now.
    const [known, { maxArchiveBytes = 0 }] = await Promise.all([
      redis.get(told),
      readAbilities(redis, keys.prefix, keys.tenant),
    ]);
    if (known !== null) return readKnown(known, digest);
    const found = await find(redis, keys, outcome.about, hashKey);
    if (found === undefined) return { status: "missing" };
    const [row] = await report.run(
      redis,
      [
        told,
        keys.record(found.id),
        keys.archive(),
        keys.archiveBacklog(),
        ...counterHashesOf(found.plan).map((hash) => keys.counter(hash)),
      ],
      [
        digest,
        found.id,
        found.plan,
        outcome.outcome ?? "",
        outcome.label ?? "",
        outcome.occurred_at ?? "",
        MAX_AHEAD_MS,
        TTL_MS,
        id,
        ARCHIVE_GROUP,
        found.isTest ? 0 : maxArchiveBytes,
      ],
    );
    const status = text(row?.[0]);
    switch (status) {
      case "accepted":
        return { status, submissionId: found.id };
      case "known":
        return readKnown(text(row?.[1]), digest);
      case "missing":
      case "ahead":
      case "full":
        return { status };
      case "changed":
        break;
      default:
        throw new TypeError(`The report script answered with an unknown status: ${status}`);
    }
  }
}

function readKnown(known: string, digest: string): Reported {
  const [knownDigest, submissionId = ""] = known.split("|");
  return knownDigest === digest ? { status: "duplicate", submissionId } : { status: "conflict" };
}

/** The submission, its plan, and whether it is a test; undefined when there is none. */
async function find(
  redis: Redis,
  keys: Keys,
  { by, value }: Outcome["about"],
  hashKey: string,
): Promise<{ readonly id: string; readonly plan: string; readonly isTest: boolean } | undefined> {
  for (const id of await candidates(redis, keys, { by, value }, hashKey)) {
    const [digest, plan, meta] = await redis.hmget(keys.record(id), "d", "oc", "m");
    if (typeof digest === "string") return { id, plan: plan ?? "", isTest: readMeta(meta ?? "")?.test === true };
  }
  return undefined;
}

async function candidates(
  redis: Redis,
  keys: Keys,
  { by, value }: Outcome["about"],
  hashKey: string,
): Promise<readonly string[]> {
  if (by === "submission_id") return [value];
  const list = by === "event_id" ? keys.eventVerdicts(value) : keys.reference(referenceHash(hashKey, value));
  const ids = await redis.lrange(list, 0, -1);
  // The list outlives its older records: the newest of all may be there when the newest presented one is gone.
  return [...ids.filter((id) => /^s_[^~]*$/.test(id)).slice(0, 1), ...ids.slice(0, 1)];
}

function counterHashesOf(plan: string): string[] {
  if (plan === "") return [];
  const counters: unknown = JSON.parse(plan);
  if (!Array.isArray(counters)) throw new TypeError("A ledger record holds a plan that is no list.");
  return counters.map((counter: unknown) => {
    if (!isRecord(counter) || typeof counter["key"] !== "string") {
      throw new TypeError("A ledger record holds a plan whose counters have no key.");
    }
    return counter["key"];
  });
}
