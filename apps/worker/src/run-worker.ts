import { hostname } from "node:os";
import { setTimeout } from "node:timers/promises";
import { createProducer } from "@assay/client/producer";
import {
  createAdminServer,
  createMetrics,
  createProgress,
  createRateLimitedLog,
  type Logger,
  prepareRedis,
  type ReadyReport,
} from "@assay/host";
import { connectForCommands, connectForWork, disconnect, tellAbility } from "@assay/ledger";
import { leaderKey } from "@assay/protocol";
import type { Redis } from "ioredis";
import { createCalm } from "./calm.ts";
import type { WorkerConfig } from "./config.ts";
import { createDeciding, type Deciding } from "./deciding.ts";
import { createWorkerMetrics } from "./metrics.ts";
import { createQueueDepths } from "./queue-depths.ts";
import type { LookupTiming } from "./lookup-timing.ts";
import { createReconciler } from "./reconciler.ts";
import type { Source } from "./sourced.ts";
import { followTenantRulesets } from "./tenant-rulesets.ts";
import { createScoreWorker } from "./worker.ts";

/** A running worker process. */
export interface RunningWorker {
  /** Port of `/metrics`, `/livez` and `/readyz`. */
  readonly adminPort: number;
  /** Finishes what is active, then closes everything. Safe to call twice. */
  stop(): Promise<void>;
}

export interface RunOptions {
  readonly config: WorkerConfig;
  readonly logger: Logger;
  /** File of the process in which suspects run alone. */
  readonly suspectFile: URL;
  /** Stands before the real source; for processes that put one around it. */
  readonly aroundSource?: (source: Source) => Source;
  /** Other times than the usual, for lookups. */
  readonly lookupTiming?: Partial<LookupTiming>;
  /** Gives up waiting for Redis. */
  readonly signal?: AbortSignal;
}

const STOP_WITHIN_MS = 15_000;
const WAITING_LOG_INTERVAL_MS = 5000;

/**
 * Loads the rulesets, opens the admin port, waits for Redis however long it takes, checks it, and begins to decide.
 * Throws a RulesetsUnusableError, an AdminServerError or a RedisUnfitError. What it opened is closed when it throws.
 */
export async function runWorker(options: RunOptions): Promise<RunningWorker> {
  const stops: (() => Promise<void>)[] = [];
  let stopping: Promise<void> | undefined;
  const stop = () => (stopping ??= stopAll(stops));
  try {
    return { adminPort: await start(options, stops), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(options: RunOptions, stops: (() => Promise<void>)[]): Promise<number> {
  const { config, logger } = options;
  const { prefix, tenants } = config;
  const registry = createMetrics("worker");
  const metrics = createWorkerMetrics(registry);
  const delay = (ms: number, signal: AbortSignal) => setTimeout(ms, undefined, { signal }).catch(() => undefined);
  const rulesets = await followTenantRulesets({ tenants, logger, metrics, now: Date.now, delay });
  stops.push(() => rulesets.stop());
  const progress = createProgress({ now: () => performance.now() });
  const redisLog = createRateLimitedLog({ logger, now: Date.now });
  const open = (redis: Redis) => redis.on("error", (error) => redisLog.warn({ err: error }, "redis connection"));
  const redis = open(connectForCommands({ url: config.redisUrl, name: "assay-worker" }));
  stops.push(() => disconnect(redis));

  let isDeciding = false;
  const ready = (): ReadyReport => ({
    ready: isDeciding && redis.status === "ready",
    checks: {
      redis: redis.status === "ready" ? "ok" : "does not answer",
      startup: isDeciding ? "ok" : "not finished",
      ...rulesets.report(),
    },
  });
  const probe = async () => void (await redis.set(`${leaderKey(prefix)}:probe`, "1", "PX", 1000));
  const calm = createCalm({ probe, delay, log: redisLog, logger, metrics });
  // A Redis that hangs keeps its connection: only what it was asked tells.
  const live = () => !progress.isStuck(redis.status === "ready" && !calm.isHolding());
  const admin = createAdminServer({ port: config.adminPort, registry: registry.registry, logger, ready, live });
  const { port: adminPort } = await admin.start();
  stops.push(() => admin.stop());

  const waiting = createRateLimitedLog({ logger, now: Date.now, limit: 1, intervalMs: WAITING_LOG_INTERVAL_MS });
  const { warnings, installation } = await prepareRedis({
    redis,
    config,
    waiting,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  for (const warning of warnings) logger.warn(warning);

  const deciding = new Map<string, Deciding>();
  for (const tenant of tenants) {
    await tellAbility(redis, prefix, tenant.name, "lookups", tenant.lookups !== undefined);
    const producer = await createProducer({ redis, prefix, tenant: tenant.name });
    stops.push(() => producer.stop());
    deciding.set(
      tenant.name,
      createDeciding({
        config,
        tenant,
        redis,
        rulesets: rulesets.of(tenant.name),
        hashKey: installation.hashKey,
        producer,
        metrics,
        logger,
        alone: false,
        onHiccup: (error) => calm.trouble(error),
        ...(options.lookupTiming === undefined ? {} : { lookupTiming: options.lookupTiming }),
        ...(options.aroundSource === undefined ? {} : { aroundSource: options.aroundSource }),
      }),
    );
  }
  stops.push(async () => {
    for (const { sightings } of deciding.values()) await sightings.stop();
  });
  const names = [...deciding.keys()];
  const depths = createQueueDepths({ redis, prefix, tenants: names, metrics });
  stops.push(() => depths.stop());
  const reconciler = createReconciler({
    redis,
    prefix,
    tenants: [...deciding.values()],
    depths,
    metrics,
    logger,
    name: `${hostname()}:${process.pid}:${adminPort}`,
    streamTtlMs: config.streamTtlMs,
    delay,
  });
  reconciler.start();
  stops.push(() => reconciler.stop());
  const worker = createScoreWorker({
    tenants: deciding,
    metrics,
    calm,
    progress,
    logger,
    connect: () => open(connectForWork({ url: config.redisUrl, name: "assay-worker" })),
    redis,
    prefix,
    concurrency: config.concurrency,
    suspectFile: options.suspectFile,
    stopWithinMs: STOP_WITHIN_MS,
  });
  worker.start();
  stops.push(async () => {
    isDeciding = false;
    await worker.stop();
  });
  isDeciding = true;
  const loaded = [...new Set(names.map((name) => rulesets.of(name)))].flatMap((each) => each.current().all);
  logger.info(
    {
      admin_port: adminPort,
      rulesets: loaded.map(({ name, digest }) => ({ name, digest })),
      ...(names.length === 1 ? {} : { tenants: names }),
    },
    "deciding",
  );
  return adminPort;
}

async function stopAll(stops: (() => Promise<void>)[]): Promise<void> {
  for (const stop of stops.splice(0).toReversed()) await stop();
}
