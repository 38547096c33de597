import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { type Cell, createScript, number, text } from "./script.ts";
import { type Gap, idBehind, streamTimeOf } from "./stream-place.ts";
import type { StreamEntry } from "./stream-replies.ts";

/** A consumer of a group on the stream of verdicts. */
export interface GroupMember {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly group: string;
  readonly consumer: string;
}

/** What a group was given, and what was trimmed before it was. */
export interface GroupRead {
  readonly entries: readonly StreamEntry[];
  readonly gap?: Gap;
  /** The gap is noted for those who can read it in an archive. */
  readonly isNoted?: true;
  /** Where there is neither: what comes lies behind this id of the stream. */
  readonly end?: string;
}

/** A gap that is to be read in the archive. */
export interface NotedGap {
  readonly gap: Gap;
  /** How it stands in Redis. */
  readonly note: string;
}

/**
 * What becomes of a gap. `skip`: it is lost, the group goes on behind it. `stay`: the group stands before it, and is
 * given nothing. `note`: it is noted, and the group goes on behind it.
 */
export type OnGap = "skip" | "stay" | "note";

/** Gaps that are noted for a group at once. One more is as good as lost, and told so. */
const MOST_GAPS = 1000;

/*
 * Redis passes over what was trimmed, and says nothing. So the group's count of what it has read is compared with what
 * is gone, in the script that reads, and is then set right: whoever reads first is told, and nobody again. Where Redis
 * does not know that count, the ids alone say that something is gone. Where entries were taken out, as an erasure does,
 * it cannot be told how many. A read by itself tells that count neither to the append-only file nor to replicas: it is
 * set to what it is, so that after a restart nothing that was read is taken for lost.
 */
const readNew = createScript(`
local stream, gaps = unpack(KEYS)
local group, consumer, count, on_gap, most_gaps = unpack(ARGV)
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
if on_gap == 'fill' then
  local oldest = redis.call('LINDEX', gaps, 0)
  if oldest then return { { oldest, 1 } } end
end
local function group_now()
  for _, each in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local one = fields(each)
    if one['name'] == group then return one end
  end
end
local info, of_group = fields(redis.call('XINFO', 'STREAM', stream)), group_now()
local rows = { { '', 0, info['last-generated-id'] } }
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
      local note = string.format('%.0f %s %s', lost, reached, edge)
      rows[1] = { note, 0, '' }
      if on_gap == 'stay' then return rows end
      if on_gap ~= 'skip' and redis.call('LLEN', gaps) < tonumber(most_gaps) then
        redis.call('RPUSH', gaps, note)
        rows[1][2] = 1
      end
      redis.call('XGROUP', 'SETID', stream, group, edge, 'ENTRIESREAD', removed)
      if on_gap == 'fill' then return rows end
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
  local now = group_now()
  if now['entries-read'] then
    redis.call('XGROUP', 'SETID', stream, group, now['last-delivered-id'], 'ENTRIESREAD', now['entries-read'])
  end
end
return rows
`);

/** Gives a consumer what is new to its group, at most `count`, without waiting. Throws what Redis throws. */
export async function readGroup(member: GroupMember, count: number, onGap: OnGap = "skip"): Promise<GroupRead> {
  const { note, isNoted, entries, end } = await read(member, count, onGap);
  if (note === "") return entries.length > 0 ? { entries } : { entries, end };
  return { entries, gap: readNote(note).gap, ...(isNoted ? { isNoted } : {}) };
}

/**
 * The same for a consumer that can read an archive: a gap is noted, and while there is any, the oldest is all that it is
 * given. Whoever dies with it in hand leaves it to the next.
 */
export async function readGroupOrGap(
  member: GroupMember,
  count: number,
): Promise<Pick<GroupRead, "entries" | "end"> & { readonly noted?: NotedGap }> {
  const { note, entries, end } = await read(member, count, "fill");
  if (note !== "") return { entries: [], noted: readNote(note) };
  return entries.length > 0 ? { entries } : { entries, end };
}

async function read(
  { redis, keys, group, consumer }: GroupMember,
  count: number,
  onGap: OnGap | "fill",
): Promise<Required<Pick<GroupRead, "entries" | "end">> & { readonly note: string; readonly isNoted: boolean }> {
  const scriptKeys = [keys.verdicts(), keys.gaps(group)];
  const [[note, isNoted, end] = [], ...rows] = await readNew.run(redis, scriptKeys, [
    group,
    consumer,
    count,
    onGap,
    MOST_GAPS,
  ]);
  return { note: text(note), isNoted: number(isNoted) === 1, entries: rows.map(readRow), end: text(end) };
}

function readRow([id, json]: readonly Cell[]): StreamEntry {
  return { entryId: text(id), json: json === undefined ? undefined : text(json) };
}

function readNote(note: string): NotedGap {
  const [lost = "", from = "", to = ""] = note.split(" ");
  const count = Number(lost) < 0 ? {} : { lost: Number(lost) };
  const bounds = { from: streamTimeOf(from), to: streamTimeOf(to), after: from, before: idBehind(to) };
  return { gap: { ...count, ...bounds }, note };
}

/** What is noted of a gap when `count` of its entries, up to this one, are no part of it any more. */
export function noteBehind({ note }: NotedGap, entryId: string, count: number): NotedGap {
  const [lost = "", , to = ""] = note.split(" ");
  const left = Number(lost) < 0 ? -1 : Math.max(Number(lost) - count, 0);
  return readNote(`${left} ${entryId} ${to}`);
}
