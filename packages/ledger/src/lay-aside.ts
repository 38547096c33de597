import { type Keys, type LetterKind, readEnvelope } from "@assay/protocol";
import type { Redis } from "ioredis";
import { createScript } from "./script.ts";
import { heldOf, type HeldSubmission, IS_ERASED } from "./tombstones.ts";

const MIB = 1024 * 1024;

/** How many dead letters of a kind a tenant keeps, and how many bytes they may hold together. Beyond either the oldest go. */
export const LETTER_CAPS: Readonly<Record<LetterKind, { readonly count: number; readonly bytes: number }>> = {
  input: { count: 1000, bytes: 32 * MIB },
  pipeline: { count: 1000, bytes: 32 * MIB },
  delivery: { count: 10_000, bytes: 32 * MIB },
};

/** The two keys that the functions of `LAY_ASIDE` take for a kind. */
export function letterKeys(keys: Keys, kind: LetterKind): [dead: string, tally: string] {
  return [keys.deadLetters(kind), keys.deadLetterTally(kind)];
}

/** The two bounds that `lay_aside` takes for a kind. */
export function letterCaps(kind: LetterKind): [count: number, bytes: number] {
  return [LETTER_CAPS[kind].count, LETTER_CAPS[kind].bytes];
}

/**
 * Lua, the only one that writes dead letters: `lay_aside(dead, tally, max_count, max_bytes, field, value, …)` adds one,
 * and drops the oldest, counted, while there are too many; `take_letter(dead, tally, letter)` removes one and returns its
 * fields, or nothing where it is gone. The bytes of a letter are those of its values. Their count starts anew with the
 * first letter, as whoever empties the stream by hand does not know of it. `lay_aside` first writes the letter, which a
 * full Redis refuses.
 */
export const LAY_ASIDE = `
local function size_of(fields)
  local size = 0
  for at = 2, #fields, 2 do size = size + #fields[at] end
  return size
end
local function take_letter(dead, tally, letter)
  local entry = redis.call('XRANGE', dead, letter, letter)[1]
  if not entry then return nil end
  redis.call('XDEL', dead, letter)
  redis.call('HINCRBY', tally, 'bytes', -size_of(entry[2]))
  return entry[2]
end
local function lay_aside(dead, tally, max_count, max_bytes, ...)
  redis.call('XADD', dead, '*', ...)
  local count = redis.call('XLEN', dead)
  if count == 1 then redis.call('HDEL', tally, 'bytes') end
  local bytes = redis.call('HINCRBY', tally, 'bytes', size_of({ ... }))
  while count > 0 and (count > tonumber(max_count) or bytes > tonumber(max_bytes)) do
    take_letter(dead, tally, redis.call('XRANGE', dead, '-', '+', 'COUNT', 1)[1][1])
    redis.call('HINCRBY', tally, 'dropped', 1)
    count = count - 1
    bytes = tonumber(redis.call('HGET', tally, 'bytes'))
  end
end
`;

// The letter first: where a full Redis refuses it, the entry stays in hand. A consumer may have it in hand for long, and
// of what was erased meanwhile there is no letter.
const layAside = createScript(`
${LAY_ASIDE}${IS_ERASED}
local dead, tally, stream, gone, erasures, tombstone = unpack(KEYS)
local group, entry, max_count, max_bytes, received_at = unpack(ARGV, 1, 5)
if received_at == '' or not is_erased(erasures, tombstone, received_at) then
  lay_aside(dead, tally, max_count, max_bytes, unpack(ARGV, 6))
end
redis.call('XACK', stream, group, entry)
redis.call('HDEL', gone, entry)
return {}
`);

/** A verdict that a group of consumers gives up. */
export interface GivenUpVerdict {
  readonly group: string;
  /** Its place in the stream of verdicts. */
  readonly entryId: string;
  /** Submission id; empty where the envelope cannot be read. */
  readonly id: string;
  /** Why, as a stable code. */
  readonly code: string;
  /** How often it was delivered. */
  readonly deliveries: number;
  /** Unix ms. */
  readonly at: number;
  /** JSON as it stood in the stream. */
  readonly envelope: string;
}

/**
 * Keeps a verdict as a dead letter of deliveries and acknowledges it, both or neither. One that was erased is only
 * acknowledged. Throws what Redis throws.
 */
export async function layAsideVerdict(redis: Redis, keys: Keys, verdict: GivenUpVerdict): Promise<void> {
  const { group, entryId, id, code, deliveries, at, envelope } = verdict;
  const fields = { id, code, at, group, entry: entryId, deliveries, envelope };
  const held = heldIn(envelope, group);
  const tombstone = held === undefined ? keys.verdicts() : keys.tombstone(held.id);
  await layAside.run(
    redis,
    [...letterKeys(keys, "delivery"), keys.verdicts(), keys.goneEntries(group), keys.erasures(), tombstone],
    [group, entryId, ...letterCaps("delivery"), held?.receivedAt ?? "", ...Object.entries(fields).flat()],
  );
}

function heldIn(envelope: string, group: string): HeldSubmission | undefined {
  try {
    const verdict = readEnvelope(envelope, group)?.data;
    return verdict === undefined ? undefined : heldOf(verdict);
  } catch {
    return undefined;
  }
}

/** How many dead letters of a kind there are. */
export interface LetterTally {
  readonly count: number;
  readonly bytes: number;
  /** Those that went because there were too many, since the installation was made. */
  readonly dropped: number;
}

/** Counts the dead letters of a kind. Throws what Redis throws. */
export async function readLetterTally(redis: Redis, keys: Keys, kind: LetterKind): Promise<LetterTally> {
  const [dead, tally] = letterKeys(keys, kind);
  const [count, [bytes, dropped]] = await Promise.all([redis.xlen(dead), redis.hmget(tally, "bytes", "dropped")]);
  return { count, bytes: Number(bytes ?? 0), dropped: Number(dropped ?? 0) };
}
