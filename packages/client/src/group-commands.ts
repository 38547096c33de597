import {
  closeGap,
  countGone,
  deliverGone,
  forgetGone,
  type GoneEntry,
  type GroupRead,
  holdLease,
  idBefore,
  isArchiveBehind,
  isArchiveKnown,
  keepEntries,
  layAsideVerdict,
  leaveGroup,
  type NotedGap,
  type OnGap,
  type OnGone,
  type PendingEntry,
  readGone,
  readGroup,
  readGroupOrGap,
  readPending,
  readStreamEdge,
  releaseLease,
  shortenGap,
  type StreamEntry,
  takeOverEntries,
  tellGroupArchive,
} from "@assay/ledger";
import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";

/** Why an entry was laid aside. */
export type DeadReason = "deliveries_exhausted" | "unreadable";

/** What one consumer of a group asks of Redis. Each throws what Redis throws. */
export interface GroupCommands {
  /** Makes the group unless it is there: at the end of the stream (`$`) or at its beginning (`0`). */
  create(start: "$" | "0"): Promise<void>;
  /** New entries, at most `count`, and what was trimmed before the group was given it; told to one consumer. */
  readNew(count: number, onGap: OnGap): Promise<GroupRead>;
  /** The same for who can read an archive: while there are gaps, he is given the oldest and nothing else. */
  readNewOrGap(count: number): ReturnType<typeof readGroupOrGap>;
  /** Takes or keeps, for `ttlMs`, the right to deliver what left the stream. Returns whether this consumer has it. */
  holdGap(ttlMs: number): Promise<boolean>;
  /** Gives it back. */
  releaseGap(): Promise<void>;
  /** With that right: makes these entries of a gap the group's own. Resolves with the rest, undefined without the right. */
  shortenGap(noted: NotedGap, entryIds: readonly string[]): Promise<NotedGap | undefined>;
  /** With that right: forgets a gap. */
  closeGap(noted: NotedGap): Promise<void>;
  /** How many entries have left the stream that are the group's own. */
  countGone(): Promise<number>;
  /** These, at most `limit`. */
  readGone(limit: number): Promise<readonly GoneEntry[]>;
  /** With that right: counts a delivery of each of these, and resolves with how many there were. */
  deliverGone(entryIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** They have been dealt with. */
  forgetGone(entryIds: readonly string[]): Promise<void>;
  /** Says for `ttlMs` that this consumer can read an archive. */
  tellArchive(ttlMs: number): Promise<void>;
  /** Whether anybody can. */
  isArchiveKnown(): Promise<boolean>;
  /** Whether something of before this entry may still be on its way into the archive. */
  isArchiveBehind(entryId: string): Promise<boolean>;
  /**
   * Waits up to `blockMs` for anything behind that id, and gives nothing: a read that stood still on its way to Redis would
   * pass over in silence what was trimmed meanwhile.
   */
  awaitNew(end: string, blockMs: number): Promise<void>;
  /** Pending entries of all consumers after a place in the stream (`-` for its beginning), idle for `minIdleMs`. */
  pending(options: { after: string; minIdleMs: number; count: number }): Promise<PendingEntry[]>;
  /** Delivers pending entries to this consumer, but those that another was faster with, and what was trimmed. */
  claim(
    wanted: readonly { readonly entryId: string; readonly minIdleMs: number }[],
    options: { readonly most: number; readonly onGone: OnGone },
  ): ReturnType<typeof takeOverEntries>;
  /**
   * Keeps entries with this consumer, as if they had been delivered `idleMs` ago. It is no delivery. Returns those that
   * it could keep: the others have been trimmed.
   */
  keep(entryIds: readonly string[], idleMs: number): Promise<string[]>;
  acknowledge(entryIds: readonly string[]): Promise<void>;
  /** Acknowledges an entry and keeps it as a dead letter. */
  layAside(
    entry: StreamEntry,
    letter: { id: string; reason: DeadReason; deliveries: number; at: number },
  ): Promise<void>;
  /** Forgets this consumer; what it still holds is free to be taken over. */
  leave(takeoverAfterMs: number): Promise<void>;
}

export interface GroupCommandsOptions {
  /** For commands. */
  readonly redis: Redis;
  /** For blocking reads. */
  readonly reader: Redis;
  readonly keys: Keys;
  readonly group: string;
  readonly consumer: string;
}

const MAX_HELD = 1000;

/** Commands of one consumer on the stream `verdicts` of its tenant. */
export function createGroupCommands({ redis, reader, keys, group, consumer }: GroupCommandsOptions): GroupCommands {
  const stream = keys.verdicts();
  const member = { redis, keys, group, consumer };

  return {
    async create(start) {
      const { firstId, lastId, added, length } = await readStreamEdge(redis, keys);
      // With its count of what is behind it, from which Redis can tell what a group never got. The beginning is before what
      // there is now: of what is trimmed in between, and of nothing older, the group is told.
      const beginning = firstId === undefined ? lastId : idBefore(firstId);
      const [from, read] = start === "$" ? [lastId, added] : [beginning, added - length];
      try {
        await redis.xgroup("CREATE", stream, group, from, "MKSTREAM", "ENTRIESREAD", read);
      } catch (error) {
        if (!(error instanceof Error) || !error.message.startsWith("BUSYGROUP")) throw error;
      }
    },
    readNew: (count, onGap) => readGroup(member, count, onGap),
    readNewOrGap: (count) => readGroupOrGap(member, count),
    holdGap: (ttlMs) => holdLease(redis, keys.gapLease(group), consumer, ttlMs),
    releaseGap: () => releaseLease(redis, keys.gapLease(group), consumer),
    shortenGap: (noted, entryIds) => shortenGap(member, noted, entryIds),
    closeGap: (noted) => closeGap(member, noted),
    countGone: () => countGone(member),
    readGone: (limit) => readGone(member, limit),
    deliverGone: (entryIds) => deliverGone(member, entryIds),
    forgetGone: (entryIds) => forgetGone(member, entryIds),
    tellArchive: (ttlMs) => tellGroupArchive(member, ttlMs),
    isArchiveKnown: () => isArchiveKnown(member),
    isArchiveBehind: (entryId) => isArchiveBehind(redis, keys, entryId),
    async awaitNew(end, blockMs) {
      await reader.xread("COUNT", 1, "BLOCK", blockMs, "STREAMS", stream, end);
    },
    async pending({ after, minIdleMs, count }) {
      const start = after === "-" ? after : `(${after}`;
      return readPending(await redis.xpending(stream, group, "IDLE", minIdleMs, start, "+", count));
    },
    claim: (wanted, options) => takeOverEntries(member, wanted, options),
    keep: (entryIds, idleMs) => keepEntries(member, entryIds, idleMs),
    async acknowledge(entryIds) {
      if (entryIds.length > 0) await redis.xack(stream, group, ...entryIds);
    },
    async layAside({ entryId, json = "" }, { id, reason, deliveries, at }) {
      await layAsideVerdict(redis, keys, { group, entryId, id, code: reason, deliveries, at, envelope: json });
    },
    async leave(takeoverAfterMs) {
      const held = readPending(await redis.xpending(stream, group, "-", "+", MAX_HELD, consumer));
      const ids = held.map(({ entryId }) => entryId);
      if (ids.length > 0) await keepEntries(member, ids, takeoverAfterMs);
      await leaveGroup(member);
    },
  };
}
