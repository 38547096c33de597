import { LANES, queuePrefix, SUSPECTS_QUEUE, type Lane } from "@assay/protocol";
import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import type { WorkerMetrics } from "./metrics.ts";

/** Reads how full the queues are. Only the leader asks: the numbers are the installation's, not a process's. */
export interface QueueDepths {
  /** Sets `queue_jobs`. */
  measure(): Promise<void>;
  /** Forgets what was measured: another process leads. */
  clear(): void;
  /** Age of the oldest job of a lane, waiting, active or let go; 0 when there is none. */
  oldestJobAgeMs(lane: Lane, now: number): Promise<number>;
  stop(): Promise<void>;
}

const STATES = ["waiting", "prioritized", "active", "delayed", "failed"] as const;

export function createQueueDepths(options: { redis: Redis; prefix: string; metrics: WorkerMetrics }): QueueDepths {
  const { metrics } = options;
  const settings = { prefix: queuePrefix(options.prefix), connection: options.redis };
  // Whoever asks learns of a failure; without a listener BullMQ would print it.
  const open = (name: string) => new Queue(name, settings).on("error", () => undefined);
  const queues = new Map([...LANES, SUSPECTS_QUEUE].map((name) => [name, open(name)]));
  return {
    async measure() {
      for (const [queue, bull] of queues) {
        const counts = await bull.getJobCounts(...STATES);
        for (const state of STATES) metrics.queueJobs.set({ queue, state }, counts[state] ?? 0);
      }
    },
    clear() {
      metrics.queueJobs.reset();
      metrics.pending.reset();
      metrics.pendingOldest.reset();
      metrics.deadLetters.reset();
      metrics.streamLag.reset();
    },
    async oldestJobAgeMs(lane, now) {
      const [oldestWaiting = [], underWay = []] = await Promise.all([
        queues.get(lane)?.getJobs(["waiting"], 0, 0, true),
        queues.get(lane)?.getJobs(["active", "delayed"], 0, -1, true),
      ]);
      const times = [...oldestWaiting, ...underWay].map((job) => job.timestamp);
      return times.length === 0 ? 0 : Math.max(0, now - Math.min(...times));
    },
    async stop() {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
    },
  };
}
