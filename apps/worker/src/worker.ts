import { randomUUID } from "node:crypto";
import { createRateLimitedLog, type Logger, type Progress } from "@assay/host";
import { awaitEvent, letGoSubmissions, type Release } from "@assay/ledger";
import { type Lane, queuePrefix, SUSPECTS_QUEUE } from "@assay/protocol";
import { DelayedError, type Job, Queue, Worker, type WorkerOptions } from "bullmq";
import type { Redis } from "ioredis";
import type { Calm } from "./calm.ts";
import { decideSubmissions, type Outcome } from "./decide-submissions.ts";
import type { Deciding } from "./deciding.ts";
import { readDoorbell } from "./doorbell.ts";
import { laneQueuesOf } from "./lane-queues.ts";
import type { WorkerMetrics } from "./metrics.ts";
import { LetGo } from "./patience.ts";

/*
 * The only file that knows BullMQ's workers, and the only one that decides what becomes of a job:
 *
 *   decided      the doorbell has done its work
 *   orphan       discard: nobody waits
 *   suspect      discard here, ring once for it alone in the queue `suspects`
 *   wait         snooze (nothing spent) or retry (a retry is spent): the job comes again at `until`, or as soon as the
 *                event it waits for has come, by a new doorbell
 *   to_lookups   discard here, ring for it in the lane of lookups
 *   LetGo        the process stops, or the lock is lost: the tries are given back, the job comes again in a second
 *   any error    a script of ours is wrong: the same, in five seconds
 *
 * A job of a tenant that this process does not know comes again in five seconds: another worker may know it.
 */

export interface ScoreWorker {
  /** Begins to fetch. */
  start(): void;
  /** Stops fetching, waits for what is active up to the deadline, then lets it go. Safe to call twice. */
  stop(): Promise<void>;
}

export interface ScoreWorkerOptions {
  /** By tenant. */
  readonly tenants: ReadonlyMap<string, Deciding>;
  readonly metrics: WorkerMetrics;
  readonly calm: Calm;
  readonly progress: Progress;
  readonly logger: Logger;
  /** Opens a connection that waits for Redis; closed by `stop`. */
  connect(): Redis;
  /** A command connection, for ringing. */
  readonly redis: Redis;
  readonly prefix: string;
  readonly concurrency: number;
  /** File of the process in which suspects run alone. */
  readonly suspectFile: URL;
  /** Ms that `stop` waits for active jobs. */
  readonly stopWithinMs: number;
}

type Waiting = Extract<Outcome, { status: "wait" }>;

const AGAIN_AFTER_LET_GO_MS = 1000;
const AGAIN_AFTER_FAULT_MS = 5000;
// A lookup mostly waits: for its turn, which Redis gives, and for the vendor.
const LOOKUPS_AT_ONCE = 32;
const STRANGERS_LOG_INTERVAL_MS = 60_000;

// Why these numbers: a crashed worker's jobs come back within lock + 2 × interval. A stall is no fault of the job's,
// so it never fails one; a job that kills its worker is told by its tries in the ledger.
const SETTINGS = {
  lockDuration: 15_000,
  stalledInterval: 5000,
  maxStalledCount: 1000,
  removeOnComplete: { count: 0 },
  removeOnFail: { count: 1000 },
  autorun: false,
} as const satisfies Partial<WorkerOptions>;

/** Serves the three lanes of every tenant, and the queue of suspects. */
export function createScoreWorker(options: ScoreWorkerOptions): ScoreWorker {
  const { metrics, progress, logger } = options;
  const strangers = createRateLimitedLog({ logger, now: Date.now, intervalMs: STRANGERS_LOG_INTERVAL_MS });
  const bull = { prefix: queuePrefix(options.prefix) };
  const suspects = new Queue(SUSPECTS_QUEUE, {
    ...bull,
    connection: options.redis,
    streams: { events: { maxLen: 1000 } },
  });
  const connections: Redis[] = [];
  let active = 0;

  function connect(): Redis {
    const connection = options.connect();
    connections.push(connection);
    return connection;
  }

  function createLaneWorker(queue: string, lane: Lane): Worker {
    const background = Math.max(1, Math.floor(options.concurrency / 4));
    const concurrency = { results: options.concurrency, background, lookups: LOOKUPS_AT_ONCE }[lane];
    const worker: Worker = new Worker(
      queue,
      // Exactly three parameters: BullMQ hands the signal only to such a function.
      async (job: Job, token: string | undefined, signal: AbortSignal | undefined) => {
        progress.busy(++active);
        try {
          await serve(job, token ?? "", signal ?? new AbortController().signal, lane);
        } finally {
          progress.busy(--active);
          progress.worked();
        }
      },
      { ...bull, ...SETTINGS, connection: connect(), concurrency },
    );
    worker.on("lockRenewalFailed", (ids: string[]) => {
      for (const id of ids) worker.cancelJob(id, "lock lost");
    });
    return worker;
  }

  async function serve(job: Job, lock: string, signal: AbortSignal, lane: Lane): Promise<void> {
    const doorbell = readDoorbell(job.data);
    if (doorbell === undefined) return metrics.orphanJobs.inc();
    const { tenant, ids } = doorbell;
    const deciding = options.tenants.get(tenant);
    if (deciding === undefined) {
      strangers.warn({ tenant }, "a tenant is not known here, and its submissions wait: name it in ASSAY_TENANTS_FILE");
      return await comeAgain(job, lock, Date.now() + AGAIN_AFTER_FAULT_MS);
    }
    const token = randomUUID();
    let waits: readonly Waiting[];
    let again: number | undefined;
    try {
      const outcomes = await decideSubmissions(deciding.deps, ids, { token, mayAsk: lane === "lookups", signal });
      for (const outcome of outcomes) if (outcome.status === "suspect") await ringAlone(deciding, outcome.id, signal);
      const orphans = outcomes.filter(({ status }) => status === "orphan").length;
      if (orphans > 0) metrics.orphanJobs.inc(orphans);
      const toLookups = outcomes.filter(({ status }) => status === "to_lookups").map(({ id }) => id);
      await moveToLookups(deciding, toLookups, token, signal);
      waits = outcomes.filter((outcome) => outcome.status === "wait");
      again = await snooze(deciding, waits, token, signal);
    } catch (error) {
      if (!(error instanceof LetGo)) logger.error({ err: error }, "a doorbell could not be served");
      await letGo(deciding, ids, token);
      return await comeAgain(
        job,
        lock,
        Date.now() + (error instanceof LetGo ? AGAIN_AFTER_LET_GO_MS : AGAIN_AFTER_FAULT_MS),
      );
    }
    if (again === undefined) return;
    await job.moveToDelayed(again, lock);
    await wakeForNews(deciding, waits, signal);
    throw new DelayedError();
  }

  async function ringAlone({ keys, patience }: Deciding, id: string, signal: AbortSignal): Promise<void> {
    metrics.suspects.inc();
    const data = { v: 1, tenant: keys.tenant, ids: [id] };
    // Named by its submission: a suspect that waits its turn is not there twice, however often its lane rings for it.
    // No trace is left of a failed one: the reconciler rings again, and that must not be taken for a duplicate.
    const jobId = `s-${id}`;
    const settings = {
      attempts: 3,
      backoff: { type: "fixed", delay: 1000 },
      removeOnComplete: true,
      removeOnFail: true,
    };
    await patience(async () => {
      // What is left of a job that stands in no list would make BullMQ ignore the new one.
      if ((await suspects.getJobState(jobId)) === "unknown") await suspects.remove(jobId);
      await suspects.add("alone", data, { ...settings, jobId });
    }, signal);
  }

  async function moveToLookups(
    { keys, patience, producer }: Deciding,
    ids: readonly string[],
    token: string,
    signal: AbortSignal,
  ): Promise<void> {
    if (ids.length === 0) return;
    const releases = ids.map((id): Release => ({ id, spendsRetry: false }));
    await patience(() => letGoSubmissions(options.redis, keys, token, releases), signal);
    await patience(() => producer.wake(ids), signal);
  }

  /**
   * Gives the tries back and puts the submissions to sleep. Returns when the job is to come again, unix ms: at once when
   * the event of one has come meanwhile. Only a submission that has no try under way may be rung for.
   */
  async function snooze(
    deciding: Deciding,
    waits: readonly Waiting[],
    token: string,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    if (waits.length === 0) return undefined;
    const { keys, patience } = deciding;
    const releases = waits.map(({ id, spendsRetry, why, until }): Release => ({
      id,
      spendsRetry,
      snoozed: { why, until },
    }));
    await patience(() => letGoSubmissions(options.redis, keys, token, releases), signal);
    const news = await withNews(deciding, waits, signal);
    return news.length > 0 ? Date.now() : Math.min(...waits.map(({ until }) => until));
  }

  /** Notes whom their events wake from now on. Returns those of which there is news already. */
  async function withNews(
    { keys, patience }: Deciding,
    waits: readonly Waiting[],
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const asked = waits.map(async ({ id, event, until }) => {
      if (event === undefined) return [];
      const sleep = { id, eventId: event.id, follows: event.follows, until, now: Date.now() };
      return (await patience(() => awaitEvent(options.redis, keys, sleep), signal)) ? [id] : [];
    });
    return (await Promise.all(asked)).flat();
  }

  /** A doorbell that is not asleep yet cannot be rung for: what came until it was is looked for once more. */
  async function wakeForNews(deciding: Deciding, waits: readonly Waiting[], signal: AbortSignal): Promise<void> {
    try {
      const news = await withNews(deciding, waits, signal);
      if (news.length > 0) await deciding.patience(() => deciding.producer.wake(news), signal);
    } catch (error) {
      // The job sleeps, and comes again at its time.
      if (!(error instanceof LetGo)) logger.error({ err: error }, "a doorbell that sleeps could not be woken");
    }
  }

  async function letGo({ keys }: Deciding, ids: readonly string[], token: string): Promise<void> {
    const releases = ids.map((id): Release => ({ id, spendsRetry: false }));
    // When Redis does not answer even now, the tries stay counted, and the submissions run alone later.
    await letGoSubmissions(options.redis, keys, token, releases).catch(() => undefined);
  }

  async function comeAgain(job: Job, lock: string, at: number): Promise<never> {
    await job.moveToDelayed(at, lock);
    throw new DelayedError();
  }

  const lanes = [...laneQueuesOf(options.tenants.keys())].map(([queue, lane]) => createLaneWorker(queue, lane));
  const alone = new Worker(SUSPECTS_QUEUE, options.suspectFile, {
    ...bull,
    ...SETTINGS,
    connection: connect(),
    concurrency: 1,
    useWorkerThreads: false,
  });
  const workers = [...lanes, alone];
  const trouble = (error: Error) => options.calm.trouble(error);
  suspects.on("error", trouble);
  for (const worker of workers) worker.on("error", trouble);
  options.calm.watch({
    pause: () => Promise.all(workers.map((worker) => worker.pause(true))),
    resume: () => Promise.all(workers.map((worker) => worker.resume())),
  });

  let stopping: Promise<void> | undefined;
  async function stop(): Promise<void> {
    await options.calm.stop();
    const closed = Promise.all(workers.map((worker) => worker.close()));
    // BullMQ's close waits without bound: past the deadline what is active is let go, and then left.
    if (!(await within(closed, options.stopWithinMs))) {
      for (const worker of lanes) worker.cancelAllJobs("shutdown");
      await within(closed, 2000);
    }
    await within(suspects.close(), 2000);
    for (const connection of connections) connection.disconnect();
  }

  return {
    start() {
      for (const worker of workers)
        worker.run().catch((error: unknown) => logger.error({ err: error }, "a worker stopped"));
    },
    stop: () => (stopping ??= stop()),
  };
}

/** Whether `work` ended within `ms`. */
async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
