import type { Logger } from "./logger.ts";

/** Writes at most a few lines per interval. The first line after a silence says how many were left out. */
export interface RateLimitedLog {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface RateLimit {
  readonly logger: Logger;
  /** Unix ms. */
  readonly now: () => number;
  /** Lines per interval; default 10. */
  readonly limit?: number;
  /** Default 1000. */
  readonly intervalMs?: number;
}

/** One limit for one kind of trouble, such as a Redis that is away: give each kind its own. */
export function createRateLimitedLog({ logger, now, limit = 10, intervalMs = 1_000 }: RateLimit): RateLimitedLog {
  let startedAt = Number.NEGATIVE_INFINITY;
  let lines = 0;
  let leftOut = 0;
  const write = (level: "warn" | "error", fields: object, message: string) => {
    const at = now();
    if (at - startedAt >= intervalMs) {
      startedAt = at;
      lines = 0;
    }
    if (lines >= limit) {
      leftOut += 1;
      return;
    }
    lines += 1;
    logger[level](leftOut === 0 ? fields : { ...fields, left_out: leftOut }, message);
    leftOut = 0;
  };
  return {
    warn: (fields, message) => write("warn", fields, message),
    error: (fields, message) => write("error", fields, message),
  };
}
