import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { type Cell, createScript, number, text } from "./script.ts";
import { type Gap, idBefore, idBehind, streamTimeOf } from "./stream-place.ts";
import type { StreamEntry } from "./stream-replies.ts";

/** A consumer of a group on the stream of verdicts. */
export interface GroupMember {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly group: string;
  readonly consumer: string;
}

/** What a group was given, and what it can never be given any more. */
export interface GroupRead {
  readonly entries: readonly StreamEntry[];
  readonly gap?: Gap;
}

/** What a group was given; or what was trimmed before it was, where the group still stands before that. */
export type GroupReadUpToGap =
  | { readonly entries: readonly StreamEntry[]; readonly gap?: undefined }
  | { readonly gap: Gap; readonly place: GroupPlace; readonly behind: GroupPlace };

/** Where a group stands in the stream. */
export interface GroupPlace {
  readonly id: string;
  /** How many entries were ever added up to it, where Redis knows. */
  readonly read?: number;
}

/*
 * Redis passes over what was trimmed, and says nothing. So the group's count of what it has read is compared with what
 * is gone, in the script that reads, and is then set right: whoever reads first is told, and nobody again. Where Redis
 * does not know that count, the ids alone say that something is gone. Where entries were taken out, as an erasure does,
 * it cannot be told how many.
 */
const readNew = createScript(`
local stream, group, consumer, count, stays = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local function fields(list)
  local all = {}
  for n = 1, #list, 2 do all[list[n]] = list[n + 1] end
  return all
end
local function parts(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(seq)
end
local function before(a, b)
  local a_ms, a_seq = parts(a)
  local b_ms, b_seq = parts(b)
  return a_ms < b_ms or (a_ms == b_ms and a_seq < b_seq)
end
local info, of_group = fields(redis.call('XINFO', 'STREAM', stream)), nil
for _, each in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  local one = fields(each)
  if one['name'] == group then of_group = one end
end
local rows = { {} }
if of_group then
  local reached, read = of_group['last-delivered-id'], of_group['entries-read']
  local removed = info['entries-added'] - info['length']
  local edge = info['last-generated-id']
  if info['first-entry'] then
    local ms, seq = parts(info['first-entry'][1])
    if seq > 0 then edge = string.format('%.0f-%.0f', ms, seq - 1)
    else edge = string.format('%.0f-18446744073709551615', ms - 1) end
  end
  if before(reached, edge) then
    local lost = nil
    if read then lost = removed - read
    elseif reached ~= '0-0' then lost = -1 end
    if lost and lost ~= 0 and info['max-deleted-entry-id'] ~= '0-0' then lost = -1 end
    if lost and lost ~= 0 then
      rows[1] = { lost, reached, edge, removed, read or -1 }
      if stays == '1' then return rows end
      redis.call('XGROUP', 'SETID', stream, group, edge, 'ENTRIESREAD', removed)
    end
  end
end
local reply = redis.call('XREADGROUP', 'GROUP', group, consumer, 'COUNT', count, 'STREAMS', stream, '>')
if reply then
  for _, entry in ipairs(reply[1][2]) do
    local row = { entry[1] }
    for n = 1, #entry[2], 2 do
      if entry[2][n] == 'e' then row[2] = entry[2][n + 1] end
    end
    rows[#rows + 1] = row
  end
end
return rows
`);

/*
 * An entry that is gone would be dropped from the group by XCLAIM, and nobody would know. So it is acknowledged instead,
 * which says who was the first to find out; or it stays the group's, until whoever finds it elsewhere has dealt with it.
 */
const takeOver = createScript(`
local stream, group, consumer, most, keeps_gone = KEYS[1], unpack(ARGV, 1, 4)
local rows, taken = {}, 0
for n = 5, #ARGV, 2 do
  local id, min_idle = ARGV[n], ARGV[n + 1]
  if #redis.call('XRANGE', stream, id, id) == 0 then
    local is_mine
    if keeps_gone == '1' then is_mine = #redis.call('XPENDING', stream, group, id, id, 1) == 1
    else is_mine = redis.call('XACK', stream, group, id) == 1 end
    if is_mine then rows[#rows + 1] = { id, '', 1 } end
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

/** Gives a consumer what is new to its group, at most `count`, without waiting. Throws what Redis throws. */
export async function readGroup({ redis, keys, group, consumer }: GroupMember, count: number): Promise<GroupRead> {
  const [gap = [], ...rows] = await readNew.run(redis, [keys.verdicts()], [group, consumer, count, 0]);
  const entries = rows.map(readRow);
  return gap.length === 0 ? { entries } : { entries, gap: gapOf(gap) };
}

/**
 * The same, but where something was trimmed the group stays where it is, and is given nothing before it is moved on by
 * `moveGroup`: whoever dies meanwhile leaves the gap to the next.
 */
export async function readGroupUpToGap(
  { redis, keys, group, consumer }: GroupMember,
  count: number,
): Promise<GroupReadUpToGap> {
  const [row = [], ...rows] = await readNew.run(redis, [keys.verdicts()], [group, consumer, count, 1]);
  if (row.length === 0) return { entries: rows.map(readRow) };
  const gap = gapOf(row);
  const read = number(row[4]);
  return {
    gap,
    place: { id: gap.after, ...(read < 0 ? {} : { read }) },
    behind: { id: text(row[2]), read: number(row[3]) },
  };
}

/** Moves a group to another place of the stream. Throws what Redis throws. */
export async function moveGroup({ redis, keys, group }: GroupMember, { id, read }: GroupPlace): Promise<void> {
  const known = read === undefined ? [] : ["ENTRIESREAD", read];
  await redis.call("XGROUP", "SETID", keys.verdicts(), group, id, ...known);
}

function readRow([id, json]: readonly Cell[]): StreamEntry {
  return { entryId: text(id), json: json === undefined ? undefined : text(json) };
}

function gapOf([lost, from, to]: readonly Cell[]): Gap {
  return {
    ...(number(lost) > 0 ? { lost: number(lost) } : {}),
    from: streamTimeOf(text(from)),
    to: streamTimeOf(text(to)),
    after: text(from),
    before: idBehind(text(to)),
  };
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

/**
 * Gives a consumer entries that were delivered and not acknowledged, each if nobody had it for its `minIdleMs`, at most
 * `most`. What was trimmed is a gap, of which `gone` are the entries, the oldest first: it is acknowledged, unless
 * `keepsGone`. Throws what Redis throws.
 */
export async function takeOverEntries(
  { redis, keys, group, consumer }: GroupMember,
  wanted: readonly { readonly entryId: string; readonly minIdleMs: number }[],
  { most = wanted.length, keepsGone = false }: { readonly most?: number; readonly keepsGone?: boolean } = {},
): Promise<GroupRead & { readonly gone?: readonly string[] }> {
  if (wanted.length === 0) return { entries: [] };
  const args = wanted.flatMap(({ entryId, minIdleMs }) => [entryId, minIdleMs]);
  const rows = await takeOver.run(redis, [keys.verdicts()], [group, consumer, most, keepsGone ? 1 : 0, ...args]);
  const entries: StreamEntry[] = [];
  const gone: string[] = [];
  for (const [id, json, isGone] of rows) {
    if (number(isGone) === 1) gone.push(text(id));
    else entries.push({ entryId: text(id), json: text(json) });
  }
  if (gone.length === 0) return { entries };
  const [first, last] = [gone[0] ?? "", gone.at(-1) ?? ""];
  const bounds = { from: streamTimeOf(first), to: streamTimeOf(last), after: idBefore(first), before: idBehind(last) };
  return { entries, gap: { lost: gone.length, ...bounds }, gone };
}
