import type { Logger, RateLimitedLog } from "@assay/host";
import {
  compareStreamIds,
  holdLease,
  idBefore,
  isArchiveBehind,
  moveReplay,
  readArchived,
  readPublished,
  readReplays,
  releaseLease,
  type Replay,
  type StreamEntry,
  type VerdictArchive,
} from "@assay/ledger";
import { type Keys, readEnvelope, type Verdict } from "@assay/protocol";
import type { Redis } from "ioredis";

/** Sends verdicts of the past to an endpoint once more, as somebody asked. */
export interface Replayer {
  start(): void;
  /** What it leaves midway another process goes on with. Safe to call twice. */
  stop(): Promise<void>;
}

export interface ReplayerOptions {
  readonly redis: Redis;
  /** Of every tenant. */
  readonly tenants: readonly Keys[];
  /** Where the verdicts are that have left the stream; absent, they cannot be sent again from here. */
  readonly archive?: VerdictArchive;
  /** Whether another process may have that. Throws what Redis throws. */
  readonly isArchiveKnown: (keys: Keys) => Promise<boolean>;
  /** Whether this process sends to an endpoint of a tenant. */
  readonly knows: (keys: Keys, endpoint: string) => boolean;
  /** Puts those that the endpoint wants on their way, and returns how many that are. */
  readonly plan: (keys: Keys, endpoint: string, verdicts: readonly Verdict[]) => Promise<number>;
  /** Unlike that of any other process. */
  readonly name: string;
  readonly pollMs: number;
  readonly logger: Logger;
  readonly log: RateLimitedLog;
  readonly delay: (ms: number, signal: AbortSignal) => Promise<void>;
}

const PAGE = 100;
/** So many wait at most, so that what is decided now is not behind a long past. */
const MOST_UNDELIVERED = 200;
const LEASE_MS = 5000;

export function createReplayer(options: ReplayerOptions): Replayer {
  const { redis, archive, logger } = options;
  const stopped = new AbortController();
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (!stopped.signal.aborted) {
      const moved = await Promise.all(options.tenants.map(workOn));
      if (!moved.includes(true)) await options.delay(options.pollMs, stopped.signal);
    }
  }

  /** One page of each replay of a tenant. Resolves with whether any came further. */
  async function workOn(keys: Keys): Promise<boolean> {
    let hasMoved = false;
    try {
      for (const replay of await readReplays(redis, keys)) {
        if (stopped.signal.aborted) return false;
        if (!options.knows(keys, replay.endpoint)) continue;
        if ((await redis.zcard(keys.undelivered(replay.endpoint))) > MOST_UNDELIVERED) continue;
        if (!(await holdLease(redis, keys.replayLease(replay.endpoint), options.name, LEASE_MS))) continue;
        if (await turnPage(keys, replay)) hasMoved = true;
      }
    } catch (error) {
      options.log.warn({ err: error }, "a replay cannot go on; it is tried again");
      return false;
    }
    return hasMoved;
  }

  async function turnPage(keys: Keys, replay: Replay): Promise<boolean> {
    const page = await read(keys, replay);
    if (page === "left") await releaseLease(redis, keys.replayLease(replay.endpoint), options.name);
    if (page === undefined || page === "left") return false;
    const { entries, reached } = page;
    const verdicts = entries.flatMap(readVerdict);
    const planned = replay.planned + (await options.plan(keys, replay.endpoint, verdicts));
    const to = reached === undefined ? undefined : { ...replay, after: reached, planned };
    const hasMoved = await moveReplay(redis, keys, replay, to);
    if (to === undefined && hasMoved) {
      await releaseLease(redis, keys.replayLease(replay.endpoint), options.name);
      logger.info({ endpoint: replay.endpoint, planned }, "a replay has been put on its way");
    }
    return hasMoved;
  }

  /**
   * The next page, and how far that is: undefined at the end. Nothing while the archive has yet to get some of it. `left`
   * where that is to be read by another process.
   */
  async function read(keys: Keys, { endpoint, after, before }: Replay): Promise<Page | "left" | undefined> {
    const { trimmedBefore, entries, isFull } = await readPublished(redis, keys, { after, before }, PAGE);
    if (trimmedBefore === undefined) return { entries, reached: isFull ? entries.at(-1)?.entryId : undefined };
    const edge = compareStreamIds(trimmedBefore, before) < 0 ? trimmedBefore : before;
    const behind = edge === before ? undefined : idBefore(edge);
    if (archive === undefined && (await options.isArchiveKnown(keys))) {
      options.log.warn({ endpoint }, "a replay waits for a worker that delivers with DATABASE_URL");
      return "left";
    }
    if (archive === undefined) {
      logger.error({ endpoint }, "a replay begins later than was asked: verdicts had left the stream");
      return { entries: [], reached: behind };
    }
    // What waits for it is in neither.
    if (await isArchiveBehind(redis, keys, edge)) {
      options.log.warn({ endpoint }, "a replay waits until the archive has all of its time");
      return undefined;
    }
    const archived = await readArchived(archive, { tenant: keys.tenant, after, before: edge, limit: PAGE });
    return { entries: archived, reached: archived.at(-1)?.entryId ?? behind };
  }

  return {
    start() {
      running ??= run();
    },
    async stop() {
      stopped.abort();
      await running;
    },
  };
}

interface Page {
  readonly entries: readonly StreamEntry[];
  readonly reached: string | undefined;
}

// What cannot be read was for nobody the first time either.
function readVerdict({ json = "" }: StreamEntry): Verdict[] {
  try {
    const envelope = readEnvelope(json);
    return envelope === undefined ? [] : [envelope.data];
  } catch {
    return [];
  }
}
