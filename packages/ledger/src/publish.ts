import { decidedChannel, type Keys, type Lane, type Verdict } from "@assay/protocol";
import type { Redis } from "ioredis";
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
  /** Input dead letters kept; 1000 when absent. */
  readonly maxDeadLetters?: number;
  /** Bytes of meta and payload that they may hold together; 32 MiB when absent. */
  readonly maxDeadLetterBytes?: number;
}

const MAX_DEAD_LETTERS = 1000;
const MAX_DEAD_LETTER_BYTES = 32 * 1024 * 1024;

/*
 * First writer wins. The first write is the XADD, which a full Redis refuses: then nothing at all has happened.
 * What a verdict was made from is its pinned inputs and, if it is undecided, why. Two verdicts from the same must be equal.
 * A dead letter takes the bytes from the record before they are dropped; the oldest go when there are too many. The
 * count of bytes starts anew with the first letter, as whoever empties the stream by hand does not know of it.
 */
const publish = createScript(`
local verdicts, dead, dead_bytes = KEYS[1], KEYS[2], KEYS[3]
local verdict_ttl, record_ttl, channel, max_dead, max_dead_bytes = unpack(ARGV, 1, 5)
local rows, decided = {}, {}
for n = 1, (#KEYS - 3) / 4 do
  local record, verdict, pending, of_event = unpack(KEYS, n * 4, n * 4 + 3)
  local id, body, digest, action, decided_at, made_from, has_event, dead_code = unpack(ARGV, n * 8 - 2, n * 8 + 5)
  local r = redis.call('HMGET', record, 'm', 's', 'vd', 'vi', 'p')
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
    if dead_code ~= '' then
      local payload = r[5] or ''
      redis.call('XADD', dead, '*', 'id', id, 'code', dead_code, 'at', decided_at, 'meta', r[1], 'payload', payload)
      if redis.call('XLEN', dead) == 1 then redis.call('DEL', dead_bytes) end
      local bytes = redis.call('INCRBY', dead_bytes, #r[1] + #payload)
      while redis.call('XLEN', dead) > tonumber(max_dead) or bytes > tonumber(max_dead_bytes) do
        local oldest = redis.call('XRANGE', dead, '-', '+', 'COUNT', 1)[1]
        if not oldest then redis.call('DEL', dead_bytes) break end
        redis.call('XDEL', dead, oldest[1])
        bytes = redis.call('DECRBY', dead_bytes, #oldest[2][8] + #oldest[2][10])
      end
    end
    redis.call('HDEL', record, 'p', 'k', 'x', 'sw', 'su')
    redis.call('PEXPIRE', record, record_ttl)
    redis.call('ZREM', pending, id)
    if has_event == '1' then
      redis.call('LPUSH', of_event, id)
      redis.call('LTRIM', of_event, 0, 99)
      redis.call('PEXPIRE', of_event, record_ttl)
    end
    decided[#decided + 1] = id
    rows[n] = { 'published', stream_id }
  end
end
if #decided > 0 then redis.call('PUBLISH', channel, table.concat(decided, ',')) end
return rows
`);

/** Publishes verdicts, all that are first or none, and announces them in one message. */
export async function publishVerdicts(
  redis: Redis,
  keys: Keys,
  publications: readonly Publication[],
  options: PublishOptions,
): Promise<Published[]> {
  const dead = keys.deadLetters("input");
  const scriptKeys = [keys.verdicts(), dead, `${dead}:bytes`];
  const args: (string | number)[] = [
    options.verdictTtlMs,
    options.recordTtlMs,
    decidedChannel(options.prefix),
    options.maxDeadLetters ?? MAX_DEAD_LETTERS,
    options.maxDeadLetterBytes ?? MAX_DEAD_LETTER_BYTES,
  ];
  for (const { id, lane, verdict, digest, pinned, deadLetter } of publications) {
    const eventId = verdict.event_id;
    // Every place in KEYS is filled: without an event the record's own key stands in, and is not used as such.
    const ofEvent = eventId === undefined ? keys.record(id) : keys.eventVerdicts(eventId);
    scriptKeys.push(keys.record(id), keys.verdict(id), keys.pending(lane), ofEvent);
    const undecided = verdict.undecided?.code ?? "";
    args.push(id, JSON.stringify(verdict), digest, verdict.action, verdict.decided_at, `${pinned}|${undecided}`);
    args.push(eventId === undefined ? "0" : "1", deadLetter ? undecided : "");
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
