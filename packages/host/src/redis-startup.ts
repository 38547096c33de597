import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import {
  checkServer,
  type InstallationMeta,
  openInstallation,
  SchemaMismatchError,
  type ServerReport,
  whenReady,
} from "@assay/ledger";
import type { Redis } from "ioredis";
import type { RateLimitedLog } from "./rate-limited-log.ts";
import type { RedisEnv } from "./redis-env.ts";

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
  readonly config: Omit<RedisEnv, "redisUrl">;
  /** Told why it waits. */
  readonly waiting: RateLimitedLog;
  /** Ends the wait: this rejects then. */
  readonly signal?: AbortSignal;
}

/** A Redis that fits. */
export interface PreparedRedis {
  readonly warnings: readonly string[];
  readonly installation: InstallationMeta;
}

const PAUSE_MS = 1000;

/**
 * Waits for Redis however long it takes, checks it against what was promised, and opens the installation.
 * Throws a RedisUnfitError that lists every fault.
 */
export async function prepareRedis(startup: RedisStartup): Promise<PreparedRedis> {
  for (;;) {
    const prepared = await tryOnce(startup);
    if (prepared !== undefined) return prepared;
    await delay(PAUSE_MS, undefined, startup.signal === undefined ? {} : { signal: startup.signal });
  }
}

/** Undefined when Redis went away meanwhile. */
async function tryOnce({ redis, config, waiting, signal }: RedisStartup): Promise<PreparedRedis | undefined> {
  await whenReady(redis, signal);
  let report: ServerReport;
  try {
    report = await checkServer(redis, { durability: config.durability, assertions: config.redisAssertions });
    if (report.faults.length === 0) {
      const installation = await openInstallation(redis, config.prefix, randomBytes(32).toString("hex"));
      return { warnings: report.warnings, installation };
    }
  } catch (error) {
    if (error instanceof SchemaMismatchError) throw new RedisUnfitError([error.message], error);
    waiting.warn({ err: error }, "Redis does not answer yet: waiting for it");
    return undefined;
  }
  throw new RedisUnfitError(report.faults);
}
