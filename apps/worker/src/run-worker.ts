import { hostname } from "node:os";
import { setTimeout } from "node:timers/promises";
import { createProducer } from "@assay/client/producer";
import { createAdminServer, createProgress, createRateLimitedLog, type Logger } from "@assay/host";
import { checkServer, connectForCommands, connectForWork, disconnect, whenReady } from "@assay/ledger";
import { leaderKey } from "@assay/protocol";
import type { Redis } from "ioredis";
import { createCalm } from "./calm.ts";
import type { WorkerConfig } from "./config.ts";
import { createDeciding } from "./deciding.ts";
import { createQueueDepths } from "./queue-depths.ts";
import { createReconciler } from "./reconciler.ts";
import type { Source } from "./source.ts";
import { createScoreWorker } from "./worker.ts";

export { loadConfig, type WorkerConfig } from "./config.ts";
export { readIds } from "./job-ids.ts";
export type { Source } from "./source.ts";
export { createSuspectProcess } from "./suspect-process.ts";

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
  /** Gives up waiting for Redis. */
  readonly signal?: AbortSignal;
}

const STOP_WITHIN_MS = 15_000;

/** The server contradicts what is asked of it. The message says what to change. */
export class ServerRefusedError extends Error {
  override readonly name = "ServerRefusedError";
  readonly code = "redis_refused";
}

/** Waits for Redis, checks it, and starts everything a worker process is made of. */
export async function runWorker(options: RunOptions): Promise<RunningWorker> {
  const { config, logger } = options;
  const stops: (() => Promise<void>)[] = [];
  const redisLog = createRateLimitedLog({ logger, now: Date.now });
  const open = (redis: Redis) => redis.on("error", (error) => redisLog.warn({ err: error }, "redis connection"));
  const redis = open(connectForCommands({ url: config.redisUrl, name: "assay-worker" }));
  stops.push(() => disconnect(redis));
  await whenReady(redis, options.signal);
  await refuseUnfit(redis, config, logger);

  const delay = (ms: number, signal: AbortSignal) => setTimeout(ms, undefined, { signal }).catch(() => undefined);
  const deciding = await createDeciding({
    config,
    redis,
    logger,
    alone: false,
    onHiccup: (error) => calm.trouble(error),
    ...(options.aroundSource === undefined ? {} : { aroundSource: options.aroundSource }),
  });
  const { metrics, keys } = deciding;
  const calm = createCalm({
    probe: async () => void (await redis.set(`${leaderKey(config.prefix)}:probe`, "1", "PX", 1000)),
    delay,
    log: redisLog,
    logger,
    metrics,
  });
  const producer = await createProducer({ redis, prefix: config.prefix });
  stops.push(() => producer.stop());
  const depths = createQueueDepths({ redis, prefix: config.prefix, metrics });
  stops.push(() => depths.stop());
  const progress = createProgress({ now: () => performance.now() });
  const admin = createAdminServer({
    port: config.adminPort,
    registry: deciding.registry,
    logger,
    ready: () => readiness(redis, deciding.rulesets.all),
    live: () => !progress.isStuck(redis.status === "ready"),
  });
  const { port: adminPort } = await admin.start();
  stops.push(() => admin.stop());
  const reconciler = createReconciler({
    redis,
    keys,
    prefix: config.prefix,
    producer,
    depths,
    metrics,
    logger,
    name: `${hostname()}:${process.pid}:${adminPort}`,
    streamTtlMs: config.streamTtlMs,
    now: Date.now,
    delay,
  });
  reconciler.start();
  stops.push(() => reconciler.stop());
  const worker = createScoreWorker({
    deciding,
    calm,
    progress,
    logger,
    connect: () => open(connectForWork({ url: config.redisUrl, name: "assay-worker" })),
    redis,
    prefix: config.prefix,
    concurrency: config.concurrency,
    suspectFile: options.suspectFile,
    stopWithinMs: STOP_WITHIN_MS,
  });
  worker.start();
  stops.push(() => worker.stop());
  logger.info(
    { admin_port: adminPort, rulesets: deciding.rulesets.all.map(({ name, digest }) => ({ name, digest })) },
    "deciding",
  );

  let stopping: Promise<void> | undefined;
  return { adminPort, stop: () => (stopping ??= stopAll(stops)) };
}

async function stopAll(stops: readonly (() => Promise<void>)[]): Promise<void> {
  for (const stop of stops.toReversed()) await stop();
}

async function refuseUnfit(redis: Redis, config: WorkerConfig, logger: Logger): Promise<void> {
  const report = await checkServer(redis, { durability: config.durability, assertions: config.redisAssertions });
  for (const warning of report.warnings) logger.warn(warning);
  if (report.faults.length > 0) throw new ServerRefusedError(report.faults.join("\n"));
}

function readiness(redis: Redis, rulesets: readonly { name: string; digest: string }[]) {
  const answers = redis.status === "ready";
  return {
    ready: answers,
    checks: {
      redis: answers ? "ok" : redis.status,
      rulesets: rulesets.map(({ name, digest }) => `${name} ${digest}`).join(", "),
    },
  };
}
