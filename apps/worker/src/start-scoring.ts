import { hostname } from "node:os";
import { createProducer } from "@assay/client/producer";
import type { Progress } from "@assay/host";
import { connectForWork, type InstallationMeta, tellAbility, tellArchive } from "@assay/ledger";
import type { Redis } from "ioredis";
import type { Calm } from "./calm.ts";
import { createDeciding, type Deciding } from "./deciding.ts";
import type { WorkerMetrics } from "./metrics.ts";
import { createQueueDepths } from "./queue-depths.ts";
import { createReconciler } from "./reconciler.ts";
import type { RunOptions } from "./run-options.ts";
import type { TenantRulesets } from "./tenant-rulesets.ts";
import { createScoreWorker } from "./worker.ts";

/** What a process has when it begins to decide. */
export interface ScoringOptions extends RunOptions {
  /** For commands; ready. */
  readonly redis: Redis;
  readonly rulesets: TenantRulesets;
  readonly installation: InstallationMeta;
  readonly calm: Calm;
  readonly progress: Progress;
  readonly metrics: WorkerMetrics;
  /** Tells this process from others on its host. */
  readonly adminPort: number;
  /** Has the errors of a connection logged. */
  open(redis: Redis): Redis;
  readonly delay: (ms: number, signal: AbortSignal) => Promise<void>;
}

const STOP_WITHIN_MS = 15_000;

/** The role `score`: decides and reconciles. Adds to `stops` what ends it, also of a start that throws midway. */
export async function startScoring(options: ScoringOptions, stops: (() => Promise<void>)[]): Promise<void> {
  const { config, logger, redis, rulesets, metrics, calm, delay } = options;
  const { prefix, tenants } = config;
  const deciding = new Map<string, Deciding>();
  for (const tenant of tenants) {
    await tellAbility(redis, prefix, tenant.name, "lookups", tenant.lookups !== undefined);
    await tellArchive(redis, prefix, tenant.name, config.archive === undefined ? undefined : config.maxArchiveBytes);
    const producer = await createProducer({ redis, prefix, tenant: tenant.name });
    stops.push(() => producer.stop());
    deciding.set(
      tenant.name,
      createDeciding({
        config,
        tenant,
        redis,
        rulesets: rulesets.of(tenant.name),
        hashKey: options.installation.hashKey,
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
  const depths = createQueueDepths({ redis, prefix, tenants: [...deciding.keys()], metrics });
  stops.push(() => depths.stop());
  const reconciler = createReconciler({
    redis,
    prefix,
    tenants: [...deciding.values()],
    depths,
    metrics,
    logger,
    name: `${hostname()}:${process.pid}:${options.adminPort}`,
    streamTtlMs: config.streamTtlMs,
    ...(config.archive === undefined ? {} : { maxArchiveBytes: config.maxArchiveBytes }),
    delay,
  });
  reconciler.start();
  stops.push(() => reconciler.stop());
  const worker = createScoreWorker({
    tenants: deciding,
    metrics,
    calm,
    progress: options.progress,
    logger,
    connect: () => options.open(connectForWork({ url: config.redisUrl, name: "assay-worker" })),
    redis,
    prefix,
    concurrency: config.concurrency,
    suspectFile: options.suspectFile,
    stopWithinMs: STOP_WITHIN_MS,
  });
  worker.start();
  stops.push(() => worker.stop());
}
