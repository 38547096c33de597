import {
  type GroupPlace,
  type GroupRead,
  layAsideVerdict,
  type GroupReadUpToGap,
  holdLease,
  keepEntries,
  moveGroup,
  type PendingEntry,
  readGroup,
  readGroupReply,
  readGroupUpToGap,
  readPending,
  readStreamEdge,
  releaseLease,
  type StreamEntry,
  takeOverEntries,
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
  readNew(count: number): Promise<GroupRead>;
  /** The same, but a group that has a gap before it stays there until it is moved, and is given nothing. */
  readUpToGap(count: number): Promise<GroupReadUpToGap>;
  /** Moves the group to another place. */
  move(place: GroupPlace): Promise<void>;
  /** Takes or keeps, for `ttlMs`, the right to fill the group's gap. Returns whether this consumer has it. */
  holdGap(ttlMs: number): Promise<boolean>;
  /** Gives it back. */
  releaseGap(): Promise<void>;
  /** The same for a group that has come to the end: waits up to `blockMs` for the first. */
  awaitNew(count: number, blockMs: number): Promise<StreamEntry[]>;
  /** Pending entries of all consumers after a place in the stream (`-` for its beginning), idle for `minIdleMs`. */
  pending(options: { after: string; minIdleMs: number; count: number }): Promise<PendingEntry[]>;
  /** Delivers pending entries to this consumer, but those that another was faster with, and what was trimmed. */
  claim(
    wanted: readonly { readonly entryId: string; readonly minIdleMs: number }[],
    options: { readonly most: number; readonly keepsGone: boolean },
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
      const { lastId, added, length } = await readStreamEdge(redis, keys);
      // With its count of what is behind it, from which Redis can tell what a group never got.
      const [from, read] = start === "$" ? [lastId, added] : [start, added - length];
      try {
        await redis.xgroup("CREATE", stream, group, from, "MKSTREAM", "ENTRIESREAD", read);
      } catch (error) {
        if (!(error instanceof Error) || !error.message.startsWith("BUSYGROUP")) throw error;
      }
    },
    readNew: (count) => readGroup(member, count),
    readUpToGap: (count) => readGroupUpToGap(member, count),
    move: (place) => moveGroup(member, place),
    holdGap: (ttlMs) => holdLease(redis, keys.gapLease(group), consumer, ttlMs),
    releaseGap: () => releaseLease(redis, keys.gapLease(group), consumer),
    awaitNew: async (count, blockMs) =>
      readGroupReply(
        await reader.xreadgroup("GROUP", group, consumer, "COUNT", count, "BLOCK", blockMs, "STREAMS", stream, ">"),
      ),
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
      // Without this, deleting the consumer would lose what it holds.
      if (held.length === 0) await redis.xgroup("DELCONSUMER", stream, group, consumer);
      else
        await keepEntries(
          member,
          held.map(({ entryId }) => entryId),
          takeoverAfterMs,
        );
    },
  };
}
