import { type Lane, queuePrefix, SUSPECTS_QUEUE } from "@assay/protocol";
import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import { laneQueuesOf } from "./lane-queues.ts";
import type { WorkerMetrics } from "./metrics.ts";

/** Reads how full the queues are. Only the leader asks: the numbers are the installation's, not a process's. */
export interface QueueDepths {
  /** Sets `queue_jobs`, by lane: a lane's queues are counted together. */
  measure(): Promise<void>;
  /** Forgets what was measured: another process leads. */
  clear(): void;
  /** Age of the oldest job of a lane, waiting, active or let go; 0 when there is none. */
  oldestJobAgeMs(lane: Lane, now: number): Promise<number>;
  stop(): Promise<void>;
}

const STATES = ["waiting", "prioritized", "active", "delayed", "failed"] as const;

export function createQueueDepths(options: {
  readonly redis: Redis;
  readonly prefix: string;
  /** Whose queues these are. */
  readonly tenants: readonly string[];
  readonly metrics: WorkerMetrics;
}): QueueDepths {
  const { metrics } = options;
  const settings = { prefix: queuePrefix(options.prefix), connection: options.redis };
  // Whoever asks learns of a failure; without a listener BullMQ would print it.
  const open = (name: string) => new Queue(name, settings).on("error", () => undefined);
  const lanes = [...laneQueuesOf(options.tenants), [SUSPECTS_QUEUE, SUSPECTS_QUEUE] as const];
  const queues = lanes.map(([name, lane]) => ({ lane, bull: open(name) }));
  return {
    async measure() {
      const sums = new Map<string, Map<string, number>>();
      for (const { lane, bull } of queues) {
        const counts = await bull.getJobCounts(...STATES);
        const sum = sums.get(lane) ?? new Map<string, number>();
        sums.set(lane, sum);
        for (const state of STATES) sum.set(state, (sum.get(state) ?? 0) + (counts[state] ?? 0));
      }
      for (const [queue, sum] of sums) {
        for (const [state, count] of sum) metrics.queueJobs.set({ queue, state }, count);
      }
    },
    clear() {
      metrics.queueJobs.reset();
      metrics.pending.reset();
      metrics.pendingOldest.reset();
      metrics.deadLetters.reset();
      metrics.deadLettersDropped.reset();
      metrics.streamLag.reset();
    },
    async oldestJobAgeMs(lane, now) {
      const jobs = await Promise.all(
        queues
          .filter((queue) => queue.lane === lane)
          .flatMap(({ bull }) => [
            bull.getJobs(["waiting"], 0, 0, true),
            bull.getJobs(["active", "delayed"], 0, -1, true),
          ]),
      );
      const times = jobs.flat().map((job) => job.timestamp);
      return times.length === 0 ? 0 : Math.max(0, now - Math.min(...times));
    },
    async stop() {
      await Promise.all(queues.map(({ bull }) => bull.close()));
    },
  };
}
