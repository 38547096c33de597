import type { Producer } from "@assay/client/producer";
import type { Logger } from "@assay/host";
import { findOverdue, holdLease, pendingOf, readLetterTally, readStreamLag, releaseLease } from "@assay/ledger";
import { type Keys, type Lane, LANES, leaderKey, LETTER_KINDS } from "@assay/protocol";
import type { Redis } from "ioredis";
import { clearArchiveBacklog, showArchiveBacklog } from "./archive/show-backlog.ts";
import type { WorkerMetrics } from "./metrics.ts";
import type { QueueDepths } from "./queue-depths.ts";

/**
 * Heals what no job will: crashes between accept and add, lost jobs, flushed queues. One process leads; every ten
 * seconds it rings again for what has waited too long, trims the outbox, and sets the gauges of the whole installation.
 */
export interface Reconciler {
  start(): void;
  stop(): Promise<void>;
}

/** One tenant whose work is watched. */
interface ReconciledTenant {
  readonly keys: Keys;
  readonly producer: Pick<Producer, "ring">;
}

export interface ReconcilerOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly tenants: readonly ReconciledTenant[];
  readonly depths: QueueDepths;
  readonly metrics: WorkerMetrics;
  readonly logger: Logger;
  /** This process, in the lease. */
  readonly name: string;
  readonly streamTtlMs: number;
  /** Bytes of each tenant that may wait for the archive; absent where there is none. */
  readonly maxArchiveBytes?: number;
  delay(ms: number, signal: AbortSignal): Promise<void>;
  /** Default 10,000. */
  readonly everyMs?: number;
}

const EVERY_MS = 10_000;
const MAX_PER_TICK = 1000;
const OVERDUE_AFTER_MS = 60_000;
const LOOKUP_OVERDUE_AFTER_MS = 10_000;

export function createReconciler(options: ReconcilerOptions): Reconciler {
  const { redis, metrics, tenants } = options;
  const everyMs = options.everyMs ?? EVERY_MS;
  const stopped = new AbortController();
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (!stopped.signal.aborted) {
      try {
        if (await holdLease(redis, leaderKey(options.prefix), options.name, 3 * everyMs)) await tick();
        else clear();
      } catch (error) {
        // No value is the truth: the last one would say that all is well for as long as Redis is away.
        clear();
        options.logger.warn({ err: error }, "reconciling failed; it is tried again");
      }
      await options.delay(everyMs, stopped.signal);
    }
  }

  function clear(): void {
    options.depths.clear();
    clearArchiveBacklog(metrics);
  }

  async function tick(): Promise<void> {
    // Redis's own time, by which everything here was written: a clock of ours that runs ahead trims and rings nothing.
    const [seconds] = await redis.time();
    const now = Number(seconds) * 1000;
    for (const lane of LANES) await ringAgain(lane, now);
    for (const { keys } of tenants) {
      await redis.xtrim(keys.verdicts(), "MINID", "~", String(now - options.streamTtlMs));
    }
    for (const kind of LETTER_KINDS) {
      const tallies = await Promise.all(tenants.map(({ keys }) => readLetterTally(redis, keys, kind)));
      metrics.deadLetters.set({ kind }, sum(tallies.map(({ count }) => count)));
      metrics.deadLettersDropped.set({ kind }, sum(tallies.map(({ dropped }) => dropped)));
    }
    await showStreamLag();
    await showBacklog(now);
    await options.depths.measure();
  }

  async function showStreamLag(): Promise<void> {
    const lags = await Promise.all(tenants.map(({ keys }) => readStreamLag(redis, keys)));
    metrics.streamLag.reset();
    // A group may be of several tenants.
    for (const { group, lag } of lags.flat()) metrics.streamLag.inc({ group }, lag);
  }

  async function showBacklog(now: number): Promise<void> {
    const { maxArchiveBytes: maxBytes } = options;
    if (maxBytes === undefined) return clearArchiveBacklog(metrics);
    const keys = tenants.map((tenant) => tenant.keys);
    await showArchiveBacklog(redis, keys, metrics, { now, maxBytes });
  }

  async function ringAgain(lane: Lane, now: number): Promise<void> {
    const oldestJobMs = lane === "lookups" ? 0 : await options.depths.oldestJobAgeMs(lane, now);
    // While jobs of the lane are old, what is pending most likely still has its own among them.
    const afterMs = lane === "lookups" ? LOOKUP_OVERDUE_AFTER_MS : Math.max(OVERDUE_AFTER_MS, 2 * oldestJobMs);
    for (const { keys, producer } of tenants) {
      const overdue = await findOverdue(redis, keys, lane, { before: now - afterMs, now, limit: MAX_PER_TICK });
      const rung = await producer.ring(lane, overdue.ids);
      if (rung === 0) continue;
      metrics.repairs.inc(rung);
      options.logger.warn({ lane, count: rung }, "doorbells were lost and are rung again");
    }
    const pending = await Promise.all(tenants.map(({ keys }) => pendingOf(redis, keys, lane)));
    const oldest = pending.flatMap((one) => (one.oldest === undefined ? [] : [one.oldest]));
    metrics.pending.set({ lane }, sum(pending.map(({ count }) => count)));
    metrics.pendingOldest.set({ lane }, oldest.length === 0 ? 0 : Math.max(0, now - Math.min(...oldest)) / 1000);
  }

  return {
    start() {
      running ??= run();
    },
    async stop() {
      stopped.abort();
      await running;
      await releaseLease(redis, leaderKey(options.prefix), options.name).catch(() => undefined);
    },
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
