import { type GroupMember, type NotedGap, noteBehind } from "./group-reads.ts";
import { readAbilities } from "./abilities.ts";
import { createScript, number, text } from "./script.ts";
import { compareStreamIds } from "./stream-place.ts";

/** An entry that left the stream before its group had dealt with it. */
export interface GoneEntry {
  readonly entryId: string;
  /** How often it was delivered. */
  readonly deliveries: number;
}

/*
 * What a group was not given before it was trimmed has no place among what Redis knows as pending. So it is noted here,
 * in the step in which the gap gets shorter, and is the group's until it is dealt with. Only who has the lease does so,
 * and only if the gap is still the one that he knows.
 */
const turn = createScript(`
local lease, gaps, gone = unpack(KEYS)
local consumer, note, rest = unpack(ARGV, 1, 3)
if redis.call('GET', lease) ~= consumer or redis.call('LINDEX', gaps, 0) ~= note then return {} end
for n = 4, #ARGV do redis.call('HSETNX', gone, ARGV[n], 0) end
if rest == '' then redis.call('LPOP', gaps) else redis.call('LSET', gaps, 0, rest) end
return { { 1 } }
`);

const deliver = createScript(`
local lease, gone = unpack(KEYS)
local rows = {}
if redis.call('GET', lease) ~= ARGV[1] then return rows end
for n = 2, #ARGV do
  if redis.call('HEXISTS', gone, ARGV[n]) == 1 then
    rows[#rows + 1] = { ARGV[n], redis.call('HINCRBY', gone, ARGV[n], 1) }
  end
end
return rows
`);

/**
 * Takes entries, in their order, from the head of a noted gap: each is then among those that are gone. Resolves with what
 * is left of the gap; undefined where somebody else works on it. Throws what Redis throws.
 */
export async function shortenGap(
  member: GroupMember,
  noted: NotedGap,
  entryIds: readonly string[],
): Promise<NotedGap | undefined> {
  const left = noteBehind(noted, entryIds.at(-1) ?? noted.gap.after, entryIds.length);
  return (await turnTo(member, noted, left.note, entryIds)) ? left : undefined;
}

/** Forgets a noted gap that has been read, unless somebody else works on it. Throws what Redis throws. */
export async function closeGap(member: GroupMember, noted: NotedGap): Promise<void> {
  await turnTo(member, noted, "", []);
}

async function turnTo(
  { redis, keys, group, consumer }: GroupMember,
  { note }: NotedGap,
  rest: string,
  entryIds: readonly string[],
): Promise<boolean> {
  const scriptKeys = [keys.gapLease(group), keys.gaps(group), keys.goneEntries(group)];
  return (await turn.run(redis, scriptKeys, [consumer, note, rest, ...entryIds])).length > 0;
}

/** How many entries are gone that a group has not dealt with. Throws what Redis throws. */
export async function countGone({ redis, keys, group }: GroupMember): Promise<number> {
  return await redis.hlen(keys.goneEntries(group));
}

/** These entries, the oldest first; only `limit` of them where there are more. Throws what Redis throws. */
export async function readGone({ redis, keys, group }: GroupMember, limit: number): Promise<GoneEntry[]> {
  const cells = await redis.hrandfield(keys.goneEntries(group), limit, "WITHVALUES");
  const pairs = Array.isArray(cells) ? cells.map(String) : [];
  return pairs
    .flatMap((entryId, at) => (at % 2 === 0 ? [{ entryId, deliveries: Number(pairs[at + 1]) }] : []))
    .toSorted((a, b) => compareStreamIds(a.entryId, b.entryId));
}

/**
 * Counts a delivery of each of these, for the consumer with the lease. Resolves with how often each was delivered now;
 * those that somebody has dealt with are not among them. Throws what Redis throws.
 */
export async function deliverGone(
  { redis, keys, group, consumer }: GroupMember,
  entryIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (entryIds.length === 0) return new Map();
  const rows = await deliver.run(redis, [keys.gapLease(group), keys.goneEntries(group)], [consumer, ...entryIds]);
  return new Map(rows.map(([id, deliveries]) => [text(id), number(deliveries)]));
}

/** Forgets entries that have been dealt with. Throws what Redis throws. */
export async function forgetGone({ redis, keys, group }: GroupMember, entryIds: readonly string[]): Promise<void> {
  if (entryIds.length > 0) await redis.hdel(keys.goneEntries(group), ...entryIds);
}

/** Says for `ttlMs` that a consumer of the group can read an archive. Throws what Redis throws. */
export async function tellGroupArchive({ redis, keys, group }: GroupMember, ttlMs: number): Promise<void> {
  await redis.set(keys.groupArchive(group), "1", "PX", ttlMs);
}

/** Whether what a group was not given can be read in an archive, by whoever has one. Throws what Redis throws. */
export async function isArchiveKnown({ redis, keys, group }: Omit<GroupMember, "consumer">): Promise<boolean> {
  if ((await redis.exists(keys.groupArchive(group))) === 1) return true;
  return (await readAbilities(redis, keys.prefix, keys.tenant)).maxArchiveBytes !== undefined;
}
