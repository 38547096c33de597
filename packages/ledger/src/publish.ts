import { decidedChannel, type Keys, type Lane, type Verdict } from "@assay/protocol";
import type { Redis } from "ioredis";
import { ARCHIVE_GROUP, KEEP } from "./archive-keep.ts";
import { deflateEvent } from "./deflate-event.ts";
import { referenceHash } from "./keyed-hash.ts";
import { LAY_ASIDE, LETTER_CAPS, letterKeys } from "./lay-aside.ts";
import { createScript, text } from "./script.ts";

/** A verdict to publish. */
export interface Publication {
  readonly id: string;
  readonly lane: Lane;
  readonly verdict: Verdict;
  /** Digest of the verdict without `decided_at`. */
  readonly digest: string;
  /** What the verdict was made from besides its submission: its pinned inputs, and whatever else may differ between two tries. */
  readonly pinned: string;
  /** Whether the submission's bytes are kept as an input dead letter. */
  readonly deadLetter: boolean;
  /** The event's JSON, for the archive. Absent where there is none. */
  readonly event?: string;
}

/** What became of a publication. */
export type Published =
  | { readonly status: "published"; readonly id: string; readonly streamId: string }
  /** Decided before with the same digest: nothing to do. */
  | { readonly status: "repeated"; readonly id: string }
  /** Decided before otherwise, and that verdict stands. `nondeterminism` must never be seen. */
  | { readonly status: "conflict"; readonly id: string; readonly reason: "inputs" | "nondeterminism" }
  /** There is no record: nobody waits for this verdict. */
  | { readonly status: "orphan"; readonly id: string };

export interface PublishOptions {
  readonly prefix: string;
  readonly verdictTtlMs: number;
  /** How long a decided record is remembered. */
  readonly recordTtlMs: number;
  /** The installation's own; keys the hash of a reference. */
  readonly hashKey: string;
  /** Input dead letters kept; 1000 when absent. */
  readonly maxDeadLetters?: number;
  /** Bytes that they may hold together; 32 MiB when absent. */
  readonly maxDeadLetterBytes?: number;
  /** Whether verdicts also go into the stream `archive`, with what they were made from. Not when absent. */
  readonly archive?: boolean;
  /** Bytes that may wait there for the archive, `ASSAY_ARCHIVE_BACKLOG_MAX_BYTES`; 128 MiB when absent. Beyond, the oldest go and are counted. */
  readonly maxArchiveBytes?: number;
}

const MAX_ARCHIVE_BYTES = 128 * 1024 * 1024;

/*
 * First writer wins. The first write is the XADD, which a full Redis refuses: then nothing at all has happened.
 * What a verdict was made from is its pinned inputs and, if it is undecided, why. Two verdicts from the same must be equal.
 * What goes to the archive goes with the verdict: meta and verdict as they are, the event deflated.
 * A dead letter takes the bytes from the record before they are dropped.
 */
const publish = createScript(`
${KEEP}${LAY_ASIDE}
local verdicts, dead, tally, archive, backlog = unpack(KEYS, 1, 5)
local verdict_ttl, record_ttl, channel, max_dead, max_dead_bytes, group, max_archive_bytes = unpack(ARGV, 1, 7)
local rows, decided = {}, {}
local function list(of, id)
  redis.call('LPUSH', of, id)
  redis.call('LTRIM', of, 0, 99)
  redis.call('PEXPIRE', of, record_ttl)
end
for n = 1, (#KEYS - 5) / 5 do
  local record, verdict, pending, of_event, of_reference = unpack(KEYS, n * 5 + 1, n * 5 + 5)
  local id, body, digest, action, decided_at, made_from, dead_code, archived, event = unpack(ARGV, n * 9 - 1, n * 9 + 7)
  local r = redis.call('HMGET', record, 'm', 's', 'vd', 'vi', 'p', 'r')
  if not r[1] then
    redis.call('ZREM', pending, id)
    rows[n] = { 'orphan' }
  elseif r[2] then
    local status = 'repeated'
    if r[3] ~= digest then status = r[4] == made_from and 'nondeterminism' or 'inputs' end
    rows[n] = { status }
  else
    local envelope = '{"type":"verdict.decided","id":"' .. id .. '","at":' .. decided_at .. ',"data":' .. body .. '}'
    local stream_id = redis.call('XADD', verdicts, '*', 'e', envelope)
    redis.call('SET', verdict, body, 'PX', verdict_ttl)
    redis.call('HSET', record, 's', stream_id, 'c', action, 'vd', digest, 'vi', made_from, 'at', decided_at)
    if archived == '1' then
      local entry = { 'v', body, 'p', made_from, 'm', r[1], 'e', event, 's', stream_id }
      keep(archive, backlog, group, max_archive_bytes, entry)
    end
    if dead_code ~= '' then
      lay_aside(dead, tally, max_dead, max_dead_bytes, 'id', id, 'code', dead_code, 'at', decided_at,
        'received_at', r[6] or decided_at, 'meta', r[1], 'payload', r[5] or '')
    end
    redis.call('HDEL', record, 'p', 'k', 'x', 'sw', 'su', 'w')
    redis.call('PEXPIRE', record, record_ttl)
    redis.call('ZREM', pending, id)
    if of_event ~= record then list(of_event, id) end
    if of_reference ~= record then list(of_reference, id) end
    decided[#decided + 1] = id
    rows[n] = { 'published', stream_id }
  end
end
if #decided > 0 then redis.call('PUBLISH', channel, table.concat(decided, ',')) end
return rows
`);

/**
 * Publishes verdicts, all that are first or none, and announces them in one message. A verdict with `test` is published
 * like any other, so that whoever reads the stream for people, or for a delivery, must leave it out. It is never
 * archived, and stands in no list of a reference: what is told of your order is never told of a test.
 */
export async function publishVerdicts(
  redis: Redis,
  keys: Keys,
  publications: readonly Publication[],
  options: PublishOptions,
): Promise<Published[]> {
  const scriptKeys = [keys.verdicts(), ...letterKeys(keys, "input"), keys.archive(), keys.archiveBacklog()];
  const args: (string | number | Uint8Array)[] = [
    options.verdictTtlMs,
    options.recordTtlMs,
    decidedChannel(options.prefix),
    options.maxDeadLetters ?? LETTER_CAPS.input.count,
    options.maxDeadLetterBytes ?? LETTER_CAPS.input.bytes,
    ARCHIVE_GROUP,
    options.maxArchiveBytes ?? MAX_ARCHIVE_BYTES,
  ];
  const isArchived = ({ verdict }: Publication) => options.archive === true && verdict.test !== true;
  const events = await Promise.all(
    publications.map(async (one) => (isArchived(one) && one.event !== undefined ? await deflateEvent(one.event) : "")),
  );
  for (const [index, publication] of publications.entries()) {
    const { id, lane, verdict, digest, pinned, deadLetter } = publication;
    const { event_id: eventId, context = {}, test } = verdict;
    const reference = test === true ? undefined : context.reference;
    const record = keys.record(id);
    // Every place in KEYS is filled: where there is no event or reference, the record's own key says so.
    const ofEvent = eventId === undefined ? record : keys.eventVerdicts(eventId);
    const ofReference = reference === undefined ? record : keys.reference(referenceHash(options.hashKey, reference));
    scriptKeys.push(record, keys.verdict(id), keys.pending(lane), ofEvent, ofReference);
    const undecided = verdict.undecided?.code ?? "";
    args.push(id, JSON.stringify(verdict), digest, verdict.action, verdict.decided_at, `${pinned}|${undecided}`);
    args.push(deadLetter ? undecided : "", isArchived(publication) ? "1" : "", events[index] ?? "");
  }
  const rows = await publish.run(redis, scriptKeys, args);
  return publications.map(({ id }, index) => readPublished(id, text(rows[index]?.[0]), text(rows[index]?.[1])));
}

function readPublished(id: string, status: string, streamId: string): Published {
  switch (status) {
    case "published":
      return { status, id, streamId };
    case "repeated":
    case "orphan":
      return { status, id };
    case "inputs":
    case "nondeterminism":
      return { status: "conflict", id, reason: status };
    default:
      throw new TypeError(`The publish script answered with an unknown status: ${status}`);
  }
}
