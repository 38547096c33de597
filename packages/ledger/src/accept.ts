import { contentDigest, type Keys, type Lane, laneOf, type Submission } from "@assay/protocol";
import type { Redis } from "ioredis";
import type { Meta } from "./record.ts";
import { createScript, number, text } from "./script.ts";

/** A submission at the door. */
export interface Arrival {
  readonly id: string;
  readonly submission: Submission;
  /** Unix ms; Redis's own time when absent or NaN, and never further than 5 s from it. */
  readonly receivedAt?: number;
  /** Whether somebody waits for its verdict. */
  readonly isAwaited?: boolean;
}

/** What became of an arrival. */
export interface Acceptance {
  readonly id: string;
  /** accepted: new · duplicate: known and undecided · decided: known and decided · conflict: known with other content. */
  readonly status: "accepted" | "duplicate" | "decided" | "conflict";
  readonly lane: Lane;
  readonly receivedAt: number;
  /** Digest of the content that is kept; differs from the arrival's own in a conflict. */
  readonly digest: string;
  /** Whether the caller's `receivedAt` was too far from Redis's time and was moved. */
  readonly clamped: boolean;
}

const MAX_SKEW_MS = 5000;

// Record and pending entry come to be together; a known id is only looked at. One without a digest was erased, and any
// content is its own.
const accept = createScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local skew = tonumber(ARGV[1])
local rows = {}
for n = 1, #KEYS / 2 do
  local record, pending = KEYS[n * 2 - 1], KEYS[n * 2]
  local id, digest, meta, payload, lane, received, keeps_first, awaited = unpack(ARGV, n * 8 - 6, n * 8 + 1)
  local known = redis.call('HMGET', record, 'd', 's', 'r')
  if known[1] then
    local status = 'conflict'
    if known[1] == digest or known[1] == '' or keeps_first == '1' then status = known[2] and 'decided' or 'duplicate' end
    rows[n] = { status, known[1], known[3], '0' }
  else
    local at = tonumber(received) or now
    local clamped = math.max(now - skew, math.min(now + skew, at))
    local received_at = string.format('%.0f', clamped)
    redis.call('HSET', record, 'd', digest, 'm', meta, 'r', received_at, 'l', lane, 't', '0')
    if payload ~= '' then redis.call('HSET', record, 'p', payload) end
    if awaited == '1' then redis.call('HSET', record, 'w', '1') end
    redis.call('ZADD', pending, received_at, id)
    rows[n] = { 'accepted', digest, received_at, clamped == at and '0' or '1' }
  end
end
return rows
`);

/**
 * Writes records for what is new, all or none, and says of each arrival what it is. It rings no doorbell.
 * What Fingerprint brings never conflicts: the first body of a webhook, or of a backfilled event, is kept.
 */
export async function acceptSubmissions(redis: Redis, keys: Keys, arrivals: readonly Arrival[]): Promise<Acceptance[]> {
  const scriptKeys: string[] = [];
  const args: (string | number | Uint8Array)[] = [MAX_SKEW_MS];
  for (const { id, submission, receivedAt, isAwaited = false } of arrivals) {
    const { payload, ...meta }: Submission = submission;
    const lane = laneOf(submission.kind);
    scriptKeys.push(keys.record(id), keys.pending(lane));
    args.push(
      id,
      contentDigest(submission),
      JSON.stringify(meta satisfies Meta),
      payload ?? "",
      lane,
      receivedAt === undefined || Number.isNaN(receivedAt) ? "" : receivedAt,
      submission.kind === "webhook" || submission.kind === "backfill" ? "1" : "0",
      isAwaited ? "1" : "0",
    );
  }
  const rows = await accept.run(redis, scriptKeys, args);
  return arrivals.map(({ id, submission }, index) => {
    const [status, digest, received, clamped] = rows[index] ?? [];
    return {
      id,
      status: readStatus(text(status)),
      lane: laneOf(submission.kind),
      receivedAt: number(received),
      digest: text(digest),
      clamped: text(clamped) === "1",
    };
  });
}

function readStatus(status: string): Acceptance["status"] {
  switch (status) {
    case "accepted":
    case "duplicate":
    case "decided":
    case "conflict":
      return status;
    default:
      throw new TypeError(`The accept script answered with an unknown status: ${status}`);
  }
}
