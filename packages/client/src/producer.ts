import {
  type Acceptance,
  acceptSubmissions,
  type Arrival,
  bringEvent,
  createGatherer,
  forgetWaiters,
  type Gatherer,
  type Gravestone,
  isAwaitedEvent,
  type Waiter,
  whenReady,
} from "@assay/ledger";
import {
  createKeys,
  type JobData,
  type Keys,
  type Lane,
  laneOf,
  ProblemError,
  queueName,
  queuePrefix,
} from "@assay/protocol";
import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import { conflict, lookupsNotConfigured, overloaded, unavailable } from "./errors.ts";
import { createEventsAreReachable } from "./reachable-events.ts";
import { uuidV7 } from "./uuid-v7.ts";

/** Hands submissions in: writes them to the ledger and rings the doorbell. */
export interface Producer {
  /**
   * Resolves once Redis holds the record and, for a new one, the job. `awaited` says that somebody waits for the
   * verdict: its lookup goes first.
   * Throws a ProblemError: `overloaded`, `submission_conflict` (names what differs), `lookups_not_configured`, or
   * `unavailable`, after which it is not known whether it was accepted: submit it again with the same id.
   */
  submit(arrival: Arrival, options?: { readonly awaited?: boolean }): Promise<Acceptance>;
  /**
   * Rings again for ids that are accepted already, except lookups that still have their job. Returns for how many.
   * Throws a ProblemError `unavailable`.
   */
  ring(lane: Lane, ids: readonly string[]): Promise<number>;
  /**
   * Rings at once for lookups that sleep, because what they wait for has come; the doorbell that sleeps makes way for a
   * new one. Harmless for those that are awake or decided. Throws what Redis throws.
   */
  wake(ids: readonly string[]): Promise<void>;
  /**
   * Keeps an event for whoever asks for it by its id within ten minutes, and wakes those that wait for it. Returns
   * whether it was there before, or was erased: it is not kept where one of `tombstones` stands. A repetition is harmless. Throws what Redis throws.
   */
  bring(eventId: string, json: string, tombstones?: readonly Gravestone[]): Promise<boolean>;
  /** The same, but nothing where nobody waits. */
  bringIfAwaited(eventId: string, json: string, tombstones?: readonly Gravestone[]): Promise<void>;
  /** Wakes those that wait for an event: there is news of it. Throws what Redis throws. */
  tell(eventId: string, waiters: readonly Waiter[]): Promise<void>;
  /** Finishes what is gathered and closes the queues, not the connection. Safe to call twice. */
  stop(): Promise<void>;
}

export interface ProducerOptions {
  /** A connection for commands. It stays the caller's to close. */
  readonly redis: Redis;
  readonly prefix?: string;
  /** Default `0`. */
  readonly tenant?: string;
  /** Unix ms; the machine's clock when absent. Only job ids hang on it. */
  readonly now?: () => number;
  /** Gives up waiting for Redis. */
  readonly signal?: AbortSignal;
  /** A caller's `receivedAt` was too far from Redis's time and was moved. */
  onClamped?(acceptance: Acceptance): void;
  /** An arrival was refused because too much is gathered. */
  onShed?(lane: Lane): void;
}

const MAX_BATCH_IDS = 64;
const MAX_BATCH_BYTES = 256 * 1024;
const MAX_IN_FLIGHT = 4;
const MAX_GATHERED = 2000;
// A process that waits for Redis must not grow with the size of what it is sent.
const MAX_GATHERED_BYTES = 64 * 1024 * 1024;
// Every lookup has a priority, because BullMQ serves jobs without one first.
const PRIORITY = { awaited: 1, first: 10 };

interface Item {
  readonly arrival: Arrival;
  readonly awaited: boolean;
}

interface Door {
  readonly gatherer: Gatherer<Item, Acceptance>;
  /** Rings for ids, of which some are awaited. */
  ring(ids: readonly string[], awaited?: ReadonlySet<string>): Promise<void>;
  /** Removes the doorbells of lookups, but those that are being served. */
  silence(ids: readonly string[]): Promise<void>;
  /** Those of the ids that may have lost their job. */
  withoutJob(ids: readonly string[]): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/**
 * Waits for Redis, however long it takes, then opens the queues. Rejects when `signal` aborts, and with `unavailable`
 * when Redis goes away meanwhile.
 */
export async function createProducer(options: ProducerOptions): Promise<Producer> {
  const keys = createKeys(options);
  const queues = await openQueues(options, keys.tenant);
  const doors: Record<Lane, Door> = {
    results: createDoor("results", queues.results, keys, options),
    background: createDoor("background", queues.background, keys, options),
    lookups: createDoor("lookups", queues.lookups, keys, options),
  };
  const eventsAreReachable = await createEventsAreReachable({
    redis: options.redis,
    prefix: options.prefix,
    tenant: keys.tenant,
    now: () => performance.now(),
  });
  let stopping: Promise<unknown> | undefined;

  /** What was accepted before is answered as ever. */
  async function refuseUnlessKnown(id: string): Promise<void> {
    if ((await options.redis.exists(keys.record(id))) === 0) throw lookupsNotConfigured(id);
  }

  async function wake(ids: readonly string[]): Promise<void> {
    await doors.lookups.silence(ids);
    await doors.lookups.ring(ids, new Set(ids));
  }

  async function tell(eventId: string, waiters: readonly Waiter[]): Promise<void> {
    if (waiters.length === 0) return;
    await wake(waiters.map(({ id }) => id));
    await forgetWaiters(options.redis, keys, eventId, waiters);
  }

  async function bring(...[eventId, json, tombstones]: Parameters<Producer["bring"]>): Promise<boolean> {
    const { isKnown, waiters } = await bringEvent(options.redis, keys, eventId, json, tombstones);
    await tell(eventId, waiters);
    return isKnown;
  }

  return {
    async submit(arrival, { awaited = false } = {}) {
      const { kind, test = false } = arrival.submission;
      const lane = laneOf(kind);
      let acceptance: Acceptance;
      try {
        if (stopping !== undefined) throw new Error("The producer has been stopped.");
        if (kind === "lookup" && !test && !(await eventsAreReachable())) await refuseUnlessKnown(arrival.id);
        acceptance = await doors[lane].gatherer.add({ arrival, awaited });
      } catch (error) {
        if (!(error instanceof ProblemError)) throw unavailable(error, arrival.id);
        if (error.code === "overloaded") options.onShed?.(lane);
        throw error;
      }
      if (acceptance.clamped) options.onClamped?.(acceptance);
      if (acceptance.status === "conflict") throw conflict(acceptance, arrival.submission);
      return acceptance;
    },
    async ring(lane, ids) {
      try {
        const silent = await doors[lane].withoutJob(ids);
        await doors[lane].ring(silent);
        return silent.length;
      } catch (error) {
        throw unavailable(error);
      }
    },
    wake,
    tell,
    bring,
    async bringIfAwaited(eventId, json, tombstones) {
      if (await isAwaitedEvent(options.redis, keys, eventId)) await bring(eventId, json, tombstones);
    },
    async stop() {
      stopping ??= Promise.all(Object.values(doors).map((door) => door.stop()));
      await stopping;
    },
  };
}

function createDoor(lane: Lane, queue: Queue<JobData>, keys: Keys, options: ProducerOptions): Door {
  const now = options.now ?? (() => Date.now());
  // A lookup is a job of its own, so that one vendor call is one job; elsewhere a job takes a whole batch.
  const idsPerJob = lane === "lookups" ? 1 : MAX_BATCH_IDS;

  async function ring(ids: readonly string[], awaited: ReadonlySet<string> = new Set()): Promise<void> {
    const adds: Promise<unknown>[] = [];
    for (let start = 0; start < ids.length; start += idsPerJob) {
      const batch = ids.slice(start, start + idsPerJob);
      const priority = batch.some((id) => awaited.has(id)) ? PRIORITY.awaited : PRIORITY.first;
      adds.push(
        queue.add(
          "decide",
          { v: 1, tenant: keys.tenant, ids: batch },
          lane === "lookups"
            ? { jobId: lookupJobId(batch), priority, removeOnFail: true }
            : { jobId: `b-${uuidV7(now())}` },
        ),
      );
    }
    await Promise.all(adds);
  }

  async function silence(ids: readonly string[]): Promise<void> {
    await Promise.all(ids.map((id) => queue.remove(lookupJobId([id]))));
  }

  async function withoutJob(ids: readonly string[]): Promise<readonly string[]> {
    if (lane !== "lookups") return ids;
    const silent: string[] = [];
    for (const id of ids) {
      const jobId = lookupJobId([id]);
      if ((await queue.getJobState(jobId)) !== "unknown") continue;
      // What is left of a job that stands in no list would make BullMQ ignore the new one.
      await queue.remove(jobId);
      silent.push(id);
    }
    return silent;
  }

  async function accept(items: readonly Item[]): Promise<Acceptance[]> {
    const acceptances = await acceptSubmissions(
      options.redis,
      keys,
      items.map(({ arrival, awaited }) => ({ ...arrival, isAwaited: awaited })),
    );
    const isNew = acceptances.filter(({ status }) => status === "accepted").map(({ id }) => id);
    const awaited = items.filter((item) => item.awaited).map(({ arrival }) => arrival.id);
    await ring(isNew, new Set(awaited));
    return acceptances;
  }

  const gatherer = createGatherer({
    flush: accept,
    maxItems: MAX_BATCH_IDS,
    maxBytes: MAX_BATCH_BYTES,
    bytesOf: ({ arrival }) => arrival.submission.payload?.byteLength ?? 0,
    maxInFlight: MAX_IN_FLIGHT,
    maxWaiting: MAX_GATHERED,
    maxWaitingBytes: MAX_GATHERED_BYTES,
    overflow: overloaded,
  });
  return {
    gatherer,
    ring,
    silence,
    withoutJob,
    async stop() {
      await gatherer.idle();
      await queue.close();
    },
  };
}

// Named by its submission, so that it can be asked for and is never there twice.
function lookupJobId(ids: readonly string[]): string {
  return `l-${ids.join()}`;
}

// A queue whose first command fails never works: the caller may try again with new ones.
async function openQueues(
  { redis, prefix, signal }: ProducerOptions,
  tenant: string,
): Promise<Record<Lane, Queue<JobData>>> {
  await whenReady(redis, signal);
  const open = (lane: Lane) => {
    const queue = new Queue<JobData>(queueName(lane, tenant), {
      connection: redis,
      prefix: queuePrefix(prefix),
      streams: { events: { maxLen: 1000 } },
      defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: { count: 1000 } },
    });
    // Whoever adds learns of a failure; without a listener BullMQ would print it.
    return queue.on("error", () => undefined);
  };
  const queues = { results: open("results"), background: open("background"), lookups: open("lookups") };
  try {
    await Promise.all(Object.values(queues).map((queue) => queue.waitUntilReady()));
    return queues;
  } catch (error) {
    await Promise.allSettled(Object.values(queues).map((queue) => queue.close()));
    throw unavailable(error);
  }
}
