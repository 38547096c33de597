import { hostname } from "node:os";
import { setTimeout } from "node:timers/promises";
import type { ArchiveReader } from "@assay/archive";
import {
  createAdminServer,
  createMetrics,
  createProgress,
  createRateLimitedLog,
  followDatabaseUrl,
  prepareRedis,
  type ReadyReport,
} from "@assay/host";
import { connectForCommands, disconnect } from "@assay/ledger";
import { leaderKey } from "@assay/protocol";
import type { Redis } from "ioredis";
import type { Archiver, ArchiverOptions } from "./archive/archiver.ts";
import { createCalm } from "./calm.ts";
import type { WorkerConfig } from "./config.ts";
import { createDeliverer, type Deliverer, type DelivererOptions } from "./deliver/deliverer.ts";
import { createWorkerMetrics } from "./metrics.ts";
import type { RunOptions } from "./run-options.ts";
import { startScoring } from "./start-scoring.ts";
import { followTenantRulesets, type TenantRulesets } from "./tenant-rulesets.ts";

/** A running worker process. */
export interface RunningWorker {
  /** Port of `/metrics`, `/livez` and `/readyz`. */
  readonly adminPort: number;
  /** Finishes what is active, then closes everything. Safe to call twice. */
  stop(): Promise<void>;
}

const WAITING_LOG_INTERVAL_MS = 5000;
const ARCHIVE_READ_MS = 5000;

/**
 * Loads the rulesets, opens the admin port, waits for Redis however long it takes, checks it, and begins to do what its
 * roles say: to decide, to deliver, to archive.
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
  const isScoring = config.roles.includes("score");
  const rulesets = isScoring
    ? await followTenantRulesets({ tenants, logger, metrics, now: Date.now, delay })
    : undefined;
  stops.push(async () => rulesets?.stop());
  const progress = createProgress({ now: () => performance.now() });
  const redisLog = createRateLimitedLog({ logger, now: Date.now });
  const open = (redis: Redis) => redis.on("error", (error) => redisLog.warn({ err: error }, "redis connection"));
  const redis = open(connectForCommands({ url: config.redisUrl, name: "assay-worker" }));
  stops.push(() => disconnect(redis));

  let isStarted = false;
  let archiver: Archiver | undefined;
  const ready = (): ReadyReport => ({
    ready: isStarted && redis.status === "ready",
    checks: {
      redis: redis.status === "ready" ? "ok" : "does not answer",
      startup: isStarted ? "ok" : "not finished",
      ...rulesets?.report(),
      ...(archiver === undefined ? {} : { archive: archiver.report() }),
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

  archiver = await createArchiverOf({ ...options, redis, metrics, adminPort, open, delay });
  const archiving = archiver;
  stops.push(async () => archiving?.stop());
  const archive = await openArchiveOf(config);
  stops.push(async () => archive?.stop());
  const deliverer = createDelivererOf({ ...options, redis, metrics, delay }, archive);
  stops.push(async () => deliverer?.stop());
  if (rulesets !== undefined) {
    const scoring = { ...options, redis, rulesets, installation, calm, progress, metrics, adminPort, open, delay };
    await startScoring(scoring, stops);
  }
  deliverer?.start();
  archiving?.start();
  // All roles stop side by side, as each may take most of the time that there is; the other stops wait for these.
  stops.push(async () => {
    for (const role of [deliverer, archiving]) void role?.stop().catch(() => undefined);
  });
  stops.push(async () => {
    isStarted = false;
  });
  isStarted = true;
  tellStart(options, adminPort, rulesets);
  return adminPort;
}

// What has left the stream is delivered from there. Connects when it is first asked.
async function openArchiveOf({ archive, deliver }: WorkerConfig): Promise<ArchiveReader | undefined> {
  if (archive === undefined || deliver === undefined) return undefined;
  // Loaded here, as whoever only decides needs no client of Postgres.
  const { createArchivePool, createArchiveReader } = await import("@assay/archive");
  const connectionString = followDatabaseUrl(archive.databaseUrl, archive);
  const pool = createArchivePool({ connectionString, maxConnections: 2, timeoutMs: ARCHIVE_READ_MS });
  return createArchiveReader({ pool });
}

function createDelivererOf(
  options: RunOptions & Pick<DelivererOptions, "redis" | "metrics" | "delay">,
  archive: ArchiveReader | undefined,
): Deliverer | undefined {
  const { config, logger, redis, metrics, delay } = options;
  if (config.deliver === undefined) return undefined;
  return createDeliverer({
    config: config.deliver,
    tenants: config.tenants.map(({ name }) => name),
    redisUrl: config.redisUrl,
    prefix: config.prefix,
    log: createRateLimitedLog({ logger, now: Date.now }),
    ...(archive === undefined ? {} : { archive }),
    ...options.deliveries,
    redis,
    metrics,
    logger,
    delay,
  });
}

async function createArchiverOf(
  options: RunOptions & Pick<ArchiverOptions, "redis" | "metrics" | "open" | "delay"> & { readonly adminPort: number },
): Promise<Archiver | undefined> {
  const { config, adminPort, archiveTiming, ...rest } = options;
  if (config.archive === undefined || !config.roles.includes("archive")) return undefined;
  const { createArchiver } = await import("./archive/archiver.ts");
  return createArchiver({
    ...rest,
    config: config.archive,
    tenants: config.tenants.map(({ name }) => name),
    redisUrl: config.redisUrl,
    prefix: config.prefix,
    name: `${hostname()}:${process.pid}:${adminPort}`,
    ...(archiveTiming === undefined ? {} : { timing: archiveTiming }),
  });
}

function tellStart({ config, logger }: RunOptions, adminPort: number, rulesets: TenantRulesets | undefined): void {
  if (config.deliver !== undefined) {
    logger.info({ admin_port: adminPort, endpoints: config.deliver.endpoints.map(({ name }) => name) }, "delivering");
  }
  if (config.roles.includes("archive")) logger.info({ admin_port: adminPort }, "archiving");
  if (rulesets === undefined) return;
  const names = config.tenants.map(({ name }) => name);
  const loaded = [...new Set(names.map((name) => rulesets.of(name)))].flatMap((each) => each.current().all);
  logger.info(
    {
      admin_port: adminPort,
      rulesets: loaded.map(({ name, digest }) => ({ name, digest })),
      ...(names.length === 1 ? {} : { tenants: names }),
    },
    "deciding",
  );
}

async function stopAll(stops: (() => Promise<void>)[]): Promise<void> {
  for (const stop of stops.splice(0).toReversed()) await stop();
}
