import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { type PendingEntry, readEntries, readGroupReply, readPending, type StreamEntry } from "./stream-replies.ts";

/** Why an entry was laid aside. */
export type DeadReason = "deliveries_exhausted" | "unreadable";

/** What one consumer of a group asks of Redis. Each throws what Redis throws. */
export interface GroupCommands {
  /** Makes the group unless it is there: at the end of the stream (`$`) or at its beginning (`0`). */
  create(start: "$" | "0"): Promise<void>;
  /** New entries, at most `count`; waits up to `blockMs` for the first. */
  readNew(count: number, blockMs: number): Promise<StreamEntry[]>;
  /** Pending entries of all consumers after a place in the stream (`-` for its beginning), idle for `minIdleMs`. */
  pending(options: { after: string; minIdleMs: number; count: number }): Promise<PendingEntry[]>;
  /** Delivers a pending entry to this consumer; undefined when another was faster, or the entry has been trimmed. */
  claim(entryId: string, minIdleMs: number): Promise<StreamEntry | undefined>;
  /** Keeps entries with this consumer, as if they had been delivered `idleMs` ago. It is no delivery. */
  keep(entryIds: readonly string[], idleMs: number): Promise<void>;
  acknowledge(entryIds: readonly string[]): Promise<void>;
  /** Acknowledges an entry and keeps it as a dead letter. The oldest go beyond some 10,000. */
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

const MAX_DEAD_LETTERS = 10_000;
const MAX_HELD = 1000;

/** Commands of one consumer on the stream `verdicts` of its tenant. */
export function createGroupCommands({ redis, reader, keys, group, consumer }: GroupCommandsOptions): GroupCommands {
  const stream = keys.verdicts();

  async function keep(entryIds: readonly string[], idleMs: number): Promise<void> {
    if (entryIds.length === 0) return;
    await redis.xclaim(stream, group, consumer, 0, ...entryIds, "IDLE", idleMs, "JUSTID");
  }

  return {
    async create(start) {
      try {
        await redis.xgroup("CREATE", stream, group, start, "MKSTREAM");
      } catch (error) {
        if (!(error instanceof Error) || !error.message.startsWith("BUSYGROUP")) throw error;
      }
    },
    readNew: async (count, blockMs) =>
      readGroupReply(
        await reader.xreadgroup("GROUP", group, consumer, "COUNT", count, "BLOCK", blockMs, "STREAMS", stream, ">"),
      ),
    async pending({ after, minIdleMs, count }) {
      const start = after === "-" ? after : `(${after}`;
      return readPending(await redis.xpending(stream, group, "IDLE", minIdleMs, start, "+", count));
    },
    async claim(entryId, minIdleMs) {
      const [entry] = readEntries(await redis.xclaim(stream, group, consumer, minIdleMs, entryId));
      return entry;
    },
    keep,
    async acknowledge(entryIds) {
      if (entryIds.length > 0) await redis.xack(stream, group, ...entryIds);
    },
    async layAside({ entryId, json = "" }, { id, reason, deliveries, at }) {
      const fields = { id, code: reason, at, group, entry: entryId, deliveries, envelope: json };
      await redis
        .multi()
        .xadd(keys.deadLetters("delivery"), "MAXLEN", "~", MAX_DEAD_LETTERS, "*", ...Object.entries(fields).flat())
        .xack(stream, group, entryId)
        .exec();
    },
    async leave(takeoverAfterMs) {
      const held = readPending(await redis.xpending(stream, group, "-", "+", MAX_HELD, consumer));
      // Without this, deleting the consumer would lose what it holds.
      if (held.length === 0) await redis.xgroup("DELCONSUMER", stream, group, consumer);
      else
        await keep(
          held.map(({ entryId }) => entryId),
          takeoverAfterMs,
        );
    },
  };
}
