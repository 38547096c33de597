import { setTimeout as delay } from "node:timers/promises";
import type { RateLimitedLog } from "@assay/host";
import { checkServer, openInstallation, SchemaMismatchError, type ServerReport, whenReady } from "@assay/ledger";
import type { Redis } from "ioredis";
import type { IngressConfig } from "./config.ts";

/** This Redis does not fit what was promised, or was written by another version. Waiting would not help. */
export class RedisUnfitError extends Error {
  override readonly name = "RedisUnfitError";
  readonly code = "redis_unfit";
  readonly faults: readonly string[];

  constructor(faults: readonly string[], cause?: unknown) {
    super(["Redis cannot be used as it is. Correct this and start again:", ...faults].join("\n  "), { cause });
    this.faults = faults;
  }
}

export interface RedisStartup {
  readonly redis: Redis;
  readonly config: Pick<IngressConfig, "durability" | "redisAssertions" | "prefix">;
  /** The installation's random key, where this Redis is new: 64 hex characters. */
  readonly freshKey: string;
  /** Told why it waits. */
  readonly waiting: RateLimitedLog;
  /** Ends the wait: this rejects then. */
  readonly signal: AbortSignal;
}

const PAUSE_MS = 1000;

/**
 * Waits for Redis however long it takes, checks it against what was promised, and opens the installation.
 * Resolves with warnings. Throws a RedisUnfitError that lists every fault.
 */
export async function prepareRedis(startup: RedisStartup): Promise<readonly string[]> {
  for (;;) {
    const { faults, warnings } = await tryOnce(startup);
    if (faults.length > 0) throw new RedisUnfitError(faults);
    if (warnings !== undefined) return warnings;
    await delay(PAUSE_MS, undefined, { signal: startup.signal });
  }
}

/** Faults and warnings; no warnings at all when Redis went away meanwhile. */
async function tryOnce({ redis, config, freshKey, waiting, signal }: RedisStartup): Promise<{
  readonly faults: readonly string[];
  readonly warnings?: readonly string[];
}> {
  await whenReady(redis, signal);
  try {
    const report: ServerReport = await checkServer(redis, {
      durability: config.durability,
      assertions: config.redisAssertions,
    });
    if (report.faults.length === 0) await openInstallation(redis, config.prefix, freshKey);
    return report;
  } catch (error) {
    if (error instanceof SchemaMismatchError) return { faults: [error.message] };
    waiting.warn({ err: error }, "Redis does not answer yet: waiting for it");
    return { faults: [] };
  }
}
