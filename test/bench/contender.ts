import type { Queue } from "bullmq";
import type { Redis } from "ioredis";
import type { AppProcess } from "../support/app-process.ts";
import type { Work } from "./workload.ts";

/** A way from sealed results to verdicts in a stream: a producer in this process, a worker in one of its own. */
export interface Contender {
  readonly name: string;
  readonly worker: AppProcess;
  readonly redis: Redis;
  /** Paused while a backlog is laid up. */
  readonly queue: Queue;
  /** Where the verdicts arrive. */
  readonly stream: string;
  /** How many are handed in together. */
  readonly together: number;
  /** Resolves when Redis holds the work and its job. */
  handIn(work: readonly Work[]): Promise<void>;
  /** Removes all that this work has left in Redis. */
  clear(work: readonly Work[]): Promise<void>;
}
