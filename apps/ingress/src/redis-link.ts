import type { Logger } from "@assay/host";
import { createRateLimitedLog } from "@assay/host";
import { connectForCommands, disconnect, readMemoryRatio, redisErrorKind } from "@assay/ledger";
import type { Redis } from "ioredis";
import type { IngressMetrics } from "./metrics.ts";

/** The connection for commands, and what is known of the server behind it. */
export interface RedisLink {
  readonly redis: Redis;
  /** Reads how full Redis is; undefined where it has no bound. Rejects while it does not answer. */
  readMemoryRatio(): Promise<number | undefined>;
  /** Whether it answered such a reading of late. */
  answers(): boolean;
  stop(): Promise<void>;
}

export interface RedisLinkOptions {
  readonly url: string;
  readonly maxBytes: number | undefined;
  readonly metrics: IngressMetrics;
  readonly logger: Logger;
  /** Unix ms. */
  readonly now: () => number;
}

// A reading comes every second and may take two.
const FRESH_MS = 5000;
const LOG_INTERVAL_MS = 5000;

/** Connects, and goes on trying while Redis is away. */
export function openRedisLink({ url, maxBytes, metrics, logger, now }: RedisLinkOptions): RedisLink {
  const redis = connectForCommands({ url, name: "assay-ingress" });
  const log = createRateLimitedLog({ logger, now, limit: 1, intervalMs: LOG_INTERVAL_MS });
  let answeredAt = Number.NEGATIVE_INFINITY;
  redis.on("error", (error: Error) => {
    metrics.redisError(redisErrorKind(error));
    log.warn({ err: error }, "Redis is away: waiting for it");
  });
  return {
    redis,
    async readMemoryRatio() {
      const ratio = await readMemoryRatio(redis, maxBytes);
      answeredAt = now();
      if (ratio !== undefined) metrics.memoryRatio(ratio);
      return ratio;
    },
    answers: () => redis.status === "ready" && now() - answeredAt < FRESH_MS,
    stop: () => disconnect(redis),
  };
}
