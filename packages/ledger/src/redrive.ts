import { contentDigest, isRecord, type Keys, type Lane, laneOf, redeliveryOf, redriveId } from "@assay/protocol";
import type { Redis } from "ioredis";
import type { DeadLetter } from "./dead-letters.ts";
import { LAY_ASIDE, letterKeys } from "./lay-aside.ts";
import { replayLetter } from "./plan-deliveries.ts";
import { type Meta, readMeta } from "./record.ts";
import { createScript, text } from "./script.ts";

/** What became of a dead letter. */
export type Redriven =
  /** It is a new submission, which nobody has rung for yet. */
  | { readonly status: "resubmitted"; readonly id: string; readonly lane: Lane }
  /** It is on its way again to where it failed. */
  | { readonly status: "returned"; readonly to: "archive" | "group" | "endpoint"; readonly name: string }
  /** Somebody else was faster, or it was dropped. */
  | { readonly status: "gone" }
  /** It stays. unreadable: it does not hold what it takes · too_often: 999 times · no_group: nobody would get it. */
  | { readonly status: "refused"; readonly why: "unreadable" | "too_often" | "no_group" };

/*
 * In all of these the letter goes only once its work stands, in the same script, so that doing it twice, or dying midway,
 * makes one of it. The first write is one that a full Redis refuses.
 */
const resubmit = createScript(`
${LAY_ASIDE}
local dead, tally, record, pending, before = unpack(KEYS)
local letter, id, digest, meta, lane = unpack(ARGV)
local entry = redis.call('XRANGE', dead, letter, letter)[1]
if not entry then return { { 'gone' } } end
if redis.call('EXISTS', record) == 1 then return { { 'taken' } } end
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('HSET', record, 'd', digest, 'm', meta, 'r', now, 'l', lane, 't', '0')
for at = 1, #entry[2], 2 do
  local payload = entry[2][at] == 'payload' and entry[2][at + 1] or ''
  if payload ~= '' then redis.call('HSET', record, 'p', payload) end
end
redis.call('ZADD', pending, now, id)
if redis.call('EXISTS', before) == 1 then redis.call('HSET', before, 'ra', id) end
take_letter(dead, tally, letter)
return { { 'done' } }
`);

const redeliver = createScript(`
${LAY_ASIDE}
local dead, tally, verdicts = unpack(KEYS)
local letter, group, envelope = unpack(ARGV)
if #redis.call('XRANGE', dead, letter, letter) == 0 then return { { 'gone' } } end
local is_known = false
if redis.call('EXISTS', verdicts) == 1 then
  for _, info in ipairs(redis.call('XINFO', 'GROUPS', verdicts)) do
    if info[2] == group then is_known = true end
  end
end
if not is_known then return { { 'no_group' } } end
redis.call('XADD', verdicts, '*', 'e', envelope)
take_letter(dead, tally, letter)
return { { 'done' } }
`);

const rearchive = createScript(`
${LAY_ASIDE}
local dead, tally, archive, backlog = unpack(KEYS)
local letter = ARGV[1]
local entry = redis.call('XRANGE', dead, letter, letter)[1]
if not entry then return { { 'gone' } } end
local fields = {}
for at = 1, #entry[2], 2 do
  if entry[2][at] ~= 'code' then
    fields[#fields + 1], fields[#fields + 2] = entry[2][at], entry[2][at + 1]
  end
end
redis.call('XADD', archive, '*', unpack(fields))
if redis.call('XLEN', archive) == 1 then redis.call('HDEL', backlog, 'bytes') end
redis.call('HINCRBY', backlog, 'bytes', size_of(fields))
take_letter(dead, tally, letter)
return { { 'done' } }
`);

/**
 * Does once more what a dead letter could not: a submission is handed in anew, an entry goes back to the archive, a
 * verdict to its group or endpoint. Rings no doorbell: the caller does, and else the reconciler. Throws what Redis throws;
 * then it may be called again.
 */
export async function redriveLetter(redis: Redis, keys: Keys, letter: DeadLetter): Promise<Redriven> {
  switch (letter.kind) {
    case "input":
      return await resubmitInput(redis, keys, letter);
    case "pipeline": {
      const scriptKeys = [...letterKeys(keys, "pipeline"), keys.archive(), keys.archiveBacklog()];
      const rows = await rearchive.run(redis, scriptKeys, [letter.entryId]);
      return readReturned(text(rows[0]?.[0]), { status: "returned", to: "archive", name: "archive" });
    }
    case "delivery":
      return await returnDelivery(redis, keys, letter);
  }
}

async function resubmitInput(redis: Redis, keys: Keys, { entryId, id = "", fields }: DeadLetter): Promise<Redriven> {
  const meta = readMeta(String(fields.get("meta") ?? ""));
  if (meta === undefined) return { status: "refused", why: "unreadable" };
  const observed = observedAnew(meta, Number(fields.get("received_at") ?? fields.get("at") ?? 0));
  const payload = fields.get("payload");
  const digest = contentDigest({ ...observed, ...(payload === undefined ? {} : { payload }) });
  // Where a key was forgotten and used anew, a redrive of its first use may be there: this one is another's.
  for (let anew = redriveId(id); anew !== undefined; anew = redriveId(anew)) {
    const lane = laneOf(meta.kind, anew);
    const rows = await resubmit.run(
      redis,
      [...letterKeys(keys, "input"), keys.record(anew), keys.pending(lane), keys.record(id)],
      [entryId, anew, digest, JSON.stringify(observed), lane],
    );
    const word = text(rows[0]?.[0]);
    if (word !== "taken") return readReturned(word, { status: "resubmitted", id: anew, lane });
  }
  return { status: "refused", why: "too_often" };
}

// Its visitor came when the first submission did: a redrive makes nobody stale.
function observedAnew(meta: Meta, receivedAt: number): Meta {
  return { ...meta, context: { ...meta.context, observed_at: meta.context?.observed_at ?? receivedAt } };
}

async function returnDelivery(redis: Redis, keys: Keys, { entryId, fields }: DeadLetter): Promise<Redriven> {
  const field = (name: string) => fields.get(name)?.toString();
  const [endpoint, delivery, body, group] = ["endpoint", "delivery", "body", "group"].map(field);
  if (endpoint !== undefined && delivery !== undefined && body !== undefined) {
    const isDone = await replayLetter(redis, keys, { id: delivery, endpoint, body, letter: entryId });
    return isDone ? { status: "returned", to: "endpoint", name: endpoint } : { status: "gone" };
  }
  const envelope = envelopeFor(group, field("envelope"));
  if (group === undefined || envelope === undefined) return { status: "refused", why: "unreadable" };
  const rows = await redeliver.run(
    redis,
    [...letterKeys(keys, "delivery"), keys.verdicts()],
    [entryId, group, envelope],
  );
  return readReturned(text(rows[0]?.[0]), { status: "returned", to: "group", name: group });
}

function envelopeFor(group: string | undefined, json: string | undefined): string | undefined {
  try {
    const envelope: unknown = JSON.parse(json ?? "");
    if (group === undefined || !isRecord(envelope)) return undefined;
    return JSON.stringify(redeliveryOf(envelope, group));
  } catch {
    return undefined;
  }
}

function readReturned(word: string, done: Redriven): Redriven {
  switch (word) {
    case "done":
      return done;
    case "gone":
      return { status: "gone" };
    case "no_group":
      return { status: "refused", why: "no_group" };
    default:
      throw new TypeError(`A redrive answered with an unknown word: ${word}`);
  }
}
