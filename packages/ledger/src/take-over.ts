import type { GroupMember } from "./group-reads.ts";
import { createScript, number, text } from "./script.ts";
import { type Gap, idBefore, idBehind, streamTimeOf } from "./stream-place.ts";
import type { StreamEntry } from "./stream-replies.ts";

/** What was taken over, and what can be no more. */
export interface TakenOver {
  readonly entries: readonly StreamEntry[];
  /** What was trimmed, the oldest first. */
  readonly gone: readonly string[];
}

/**
 * What becomes of an entry that was trimmed. `acknowledge`: it is lost. `stay`: it stays as it is. `note`: it is noted
 * among those that are to be read in the archive, with how often it was delivered; while there are 10,000 of these it
 * stays, and is not told.
 */
export type OnGone = "acknowledge" | "stay" | "note";

const MOST_GONE = 10_000;

/*
 * An entry that is gone would be dropped from the group by XCLAIM, and nobody would know. So it is acknowledged instead,
 * or noted, which says who was the first to find out. The note is written first, as a full Redis refuses it.
 */
const takeOver = createScript(`
local stream, gone = unpack(KEYS)
local group, consumer, most, on_gone, most_gone = unpack(ARGV, 1, 5)
local rows, taken = {}, 0
for n = 6, #ARGV, 2 do
  local id, min_idle = ARGV[n], ARGV[n + 1]
  if #redis.call('XRANGE', stream, id, id) == 0 then
    local pending = redis.call('XPENDING', stream, group, id, id, 1)[1]
    if pending and (on_gone ~= 'note' or redis.call('HLEN', gone) < tonumber(most_gone)) then
      if on_gone == 'note' then redis.call('HSETNX', gone, id, pending[4]) end
      if on_gone ~= 'stay' then redis.call('XACK', stream, group, id) end
      rows[#rows + 1] = { id, '', 1 }
    end
  elseif taken < tonumber(most) then
    local entry = redis.call('XCLAIM', stream, group, consumer, min_idle, id)[1]
    if entry then
      local row = { id, '' , 0 }
      for m = 1, #entry[2], 2 do
        if entry[2][m] == 'e' then row[2] = entry[2][m + 1] end
      end
      rows[#rows + 1] = row
      taken = taken + 1
    end
  end
end
return rows
`);

// What is gone stays as it is: XCLAIM would drop it from the group, and whoever dies with it in hand would lose it.
const keep = createScript(`
local stream, group, consumer, idle = KEYS[1], unpack(ARGV, 1, 3)
local rows = {}
for n = 4, #ARGV do
  local id = ARGV[n]
  if #redis.call('XRANGE', stream, id, id) == 1 then
    if #redis.call('XCLAIM', stream, group, consumer, 0, id, 'IDLE', idle, 'JUSTID') == 1 then rows[#rows + 1] = { id } end
  end
end
return rows
`);

// Deleted, a consumer would take from the group what it holds. A read that it gave up may be answered at any moment.
const leave = createScript(`
local stream, group, consumer = KEYS[1], unpack(ARGV)
if #redis.call('XPENDING', stream, group, '-', '+', 1, consumer) == 0 then
  redis.call('XGROUP', 'DELCONSUMER', stream, group, consumer)
end
return {}
`);

/**
 * Gives a consumer entries that were delivered and not acknowledged, each if nobody had it for its `minIdleMs`, at most
 * `most`. Throws what Redis throws.
 */
export async function takeOverEntries(
  { redis, keys, group, consumer }: GroupMember,
  wanted: readonly { readonly entryId: string; readonly minIdleMs: number }[],
  { most = wanted.length, onGone = "acknowledge" }: { readonly most?: number; readonly onGone?: OnGone } = {},
): Promise<TakenOver> {
  if (wanted.length === 0) return { entries: [], gone: [] };
  const args = wanted.flatMap(({ entryId, minIdleMs }) => [entryId, minIdleMs]);
  const scriptKeys = [keys.verdicts(), keys.goneEntries(group)];
  const rows = await takeOver.run(redis, scriptKeys, [group, consumer, most, onGone, MOST_GONE, ...args]);
  const entries: StreamEntry[] = [];
  const gone: string[] = [];
  for (const [id, json, isGone] of rows) {
    if (number(isGone) === 1) gone.push(text(id));
    else entries.push({ entryId: text(id), json: text(json) });
  }
  return { entries, gone };
}

/**
 * Keeps entries with a consumer, as if they had been delivered `idleMs` ago. It is no delivery. Returns those that it
 * could keep: the others have been trimmed, and stay as they are. Throws what Redis throws.
 */
export async function keepEntries(
  { redis, keys, group, consumer }: GroupMember,
  entryIds: readonly string[],
  idleMs: number,
): Promise<string[]> {
  if (entryIds.length === 0) return [];
  const rows = await keep.run(redis, [keys.verdicts()], [group, consumer, idleMs, ...entryIds]);
  return rows.map(([id]) => text(id));
}

/** Forgets a consumer, unless it holds something at this moment. Throws what Redis throws. */
export async function leaveGroup({ redis, keys, group, consumer }: GroupMember): Promise<void> {
  await leave.run(redis, [keys.verdicts()], [group, consumer]);
}

/** The gap that single entries are which were trimmed, at least one, the oldest first. */
export function gapOfEntries(gone: readonly string[]): Gap {
  const [first, last] = [gone[0] ?? "0-0", gone.at(-1) ?? "0-0"];
  const bounds = { from: streamTimeOf(first), to: streamTimeOf(last), after: idBefore(first), before: idBehind(last) };
  return { lost: gone.length, ...bounds };
}
