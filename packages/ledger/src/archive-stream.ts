import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { LAY_ASIDE, letterCaps, letterKeys } from "./lay-aside.ts";
import { type ArchiveEntry, readArchiveEntry } from "./archive-entry.ts";
import { ARCHIVE_GROUP } from "./archive-keep.ts";
import { createScript } from "./script.ts";

/** An entry that the archive will never take. */
export interface RejectedEntry {
  readonly entryId: string;
  /** Why, as a stable code. */
  readonly code: string;
}

/** One reader of the stream `archive`. Each method throws what Redis throws. */
export interface ArchiveStream {
  /**
   * Entries that nobody has in hand, at most `count`: first those whose reader has been silent for `takeoverAfterMs`,
   * else new ones, for the first of which it waits up to `blockMs`. They stay in the stream until they are settled, so
   * each is given out at least once.
   */
  read(options: { count: number; blockMs: number; takeoverAfterMs: number }): Promise<ArchiveEntry[]>;
  /** Removes entries that are in the archive. Those that it rejected are kept as dead letters of the pipeline. */
  settle(entries: readonly ArchiveEntry[], rejected?: readonly RejectedEntry[]): Promise<void>;
}

export interface ArchiveStreamOptions {
  /** For commands. */
  readonly redis: Redis;
  /** For reads that wait: a connection of its own without a command timeout. */
  readonly reader: Redis;
  readonly keys: Keys;
  /** Names this reader in its group. */
  readonly consumer: string;
}

/** What waits for the archive, and what did not wait long enough. */
export interface ArchiveBacklog {
  readonly entries: number;
  /** Of what the entries hold, as it is in the stream; Redis itself takes a little more. */
  readonly bytes: number;
  /** When the oldest of it was written, unix ms by Redis's clock; absent when nothing waits. */
  readonly since?: number;
  /** Entries that were dropped since the installation was made, because too many bytes waited. */
  readonly dropped: number;
  readonly droppedBytes: number;
}

/*
 * Entries go when they are acknowledged, so that the stream holds the backlog and nothing else. One that was dropped or
 * settled meanwhile is not counted again. A dead letter is written first: a full Redis refuses it before anything has
 * happened, and lets go of what needs none.
 */
const settle = createScript(`
${LAY_ASIDE}
local archive, backlog, dead, tally = unpack(KEYS)
local group, max_dead, max_dead_bytes = unpack(ARGV, 1, 3)
for n = 4, #ARGV, 3 do
  if ARGV[n + 2] ~= '' then
    local entry = redis.call('XRANGE', archive, ARGV[n], ARGV[n])[1]
    if entry then lay_aside(dead, tally, max_dead, max_dead_bytes, 'code', ARGV[n + 2], unpack(entry[2])) end
  end
end
for n = 4, #ARGV, 3 do
  redis.call('XACK', archive, group, ARGV[n])
  if redis.call('XDEL', archive, ARGV[n]) == 1 then redis.call('HINCRBY', backlog, 'bytes', -tonumber(ARGV[n + 1])) end
end
if redis.call('XLEN', archive) == 0 then redis.call('HDEL', backlog, 'bytes') end
return {}
`);

/** Reads the stream `archive` of a tenant. Touches Redis only when it is asked to. */
export function createArchiveStream({ redis, reader, keys, consumer }: ArchiveStreamOptions): ArchiveStream {
  const stream = keys.archive();

  async function abandoned(count: number, takeoverAfterMs: number): Promise<ArchiveEntry[]> {
    const args = [stream, ARCHIVE_GROUP, consumer, takeoverAfterMs, "0", "COUNT", count];
    return readEntries(list(await redis.callBuffer("XAUTOCLAIM", args))[1]);
  }

  async function fresh(count: number, blockMs: number): Promise<ArchiveEntry[]> {
    const mine = ["GROUP", ARCHIVE_GROUP, consumer] as const;
    const reply = await reader.xreadgroupBuffer(...mine, "COUNT", count, "BLOCK", blockMs, "STREAMS", stream, ">");
    const [only] = list(reply);
    return readEntries(list(only)[1]);
  }

  async function read(count: number, blockMs: number, takeoverAfterMs: number): Promise<ArchiveEntry[]> {
    const taken = await abandoned(count, takeoverAfterMs);
    return taken.length > 0 ? taken : await fresh(count, blockMs);
  }

  return {
    async read({ count, blockMs, takeoverAfterMs }) {
      try {
        return await read(count, blockMs, takeoverAfterMs);
      } catch (error) {
        if (!(error instanceof Error) || !error.message.includes("NOGROUP")) throw error;
        await createGroup(redis, stream);
        return await read(count, blockMs, takeoverAfterMs);
      }
    },
    async settle(entries, rejected = []) {
      if (entries.length === 0) return;
      const codes = new Map(rejected.map(({ entryId, code }) => [entryId, code]));
      const args = entries.flatMap((entry) => [entry.entryId, entry.bytes, codes.get(entry.entryId) ?? ""]);
      const scriptKeys = [stream, keys.archiveBacklog(), ...letterKeys(keys, "pipeline")];
      await settle.run(redis, scriptKeys, [ARCHIVE_GROUP, ...letterCaps("pipeline"), ...args]);
    },
  };
}

/** How much waits for the archive of a tenant. Where nothing is older than `since`, the archive has all until then. */
export async function readArchiveBacklog(redis: Redis, keys: Keys): Promise<ArchiveBacklog> {
  const [entries, oldest, [bytes, dropped, droppedBytes]] = await Promise.all([
    redis.xlen(keys.archive()),
    redis.xrange(keys.archive(), "-", "+", "COUNT", 1),
    redis.hmget(keys.archiveBacklog(), "bytes", "dropped", "dropped_bytes"),
  ]);
  const [oldestId] = oldest[0] ?? [];
  return {
    entries,
    bytes: Number(bytes ?? 0),
    ...(oldestId === undefined ? {} : { since: Number.parseInt(oldestId, 10) }),
    dropped: Number(dropped ?? 0),
    droppedBytes: Number(droppedBytes ?? 0),
  };
}

// From the beginning, because verdicts are published whether or not anybody reads yet.
async function createGroup(redis: Redis, stream: string): Promise<void> {
  try {
    await redis.xgroup("CREATE", stream, ARCHIVE_GROUP, "0", "MKSTREAM");
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith("BUSYGROUP")) throw error;
  }
}

function readEntries(reply: unknown): ArchiveEntry[] {
  return list(reply).flatMap((entry) => {
    const [entryId, fields] = list(entry);
    if (!Buffer.isBuffer(entryId) || !Array.isArray(fields)) return [];
    const cells = fields.filter((cell) => Buffer.isBuffer(cell));
    return [readArchiveEntry(entryId.toString(), cells)];
  });
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
