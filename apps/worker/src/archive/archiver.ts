import { createArchivePool, createArchiveWriter } from "@assay/archive";
import { createRateLimitedLog, followDatabaseUrl, type Logger } from "@assay/host";
import { connectForReads, createArchiveStream, disconnect } from "@assay/ledger";
import { createKeys } from "@assay/protocol";
import type { Redis } from "ioredis";
import type { WorkerMetrics } from "../metrics.ts";
import { createPatience } from "../patience.ts";
import { careForArchive } from "./archive-care.ts";
import type { ArchiveConfig } from "./archive-config.ts";
import { runArchiveLane } from "./archive-lane.ts";
import { createArchiveState } from "./archive-state.ts";
import { ARCHIVE_TIMING, type ArchiveTiming } from "./archive-timing.ts";

/** Brings what waits in the streams `archive` into Postgres. */
export interface Archiver {
  /** Waits for nothing: Postgres may come later. */
  start(): void;
  /** What `/readyz` says of the archive. */
  report(): string;
  /** Takes no more, and resolves when the batch in hand is written, or after ten seconds. Safe to call twice. */
  stop(): Promise<void>;
}

export interface ArchiverOptions {
  readonly config: ArchiveConfig;
  /** Names of all tenants. */
  readonly tenants: readonly string[];
  readonly redis: Redis;
  readonly redisUrl: string;
  readonly prefix: string;
  /** This process, among those that archive. */
  readonly name: string;
  readonly metrics: WorkerMetrics;
  readonly logger: Logger;
  /** Has the errors of a connection logged. */
  open(redis: Redis): Redis;
  /** Other times than the usual. */
  readonly timing?: Partial<ArchiveTiming>;
  readonly delay: (ms: number, signal: AbortSignal) => Promise<void>;
}

const STOP_WITHIN_MS = 10_000;

/** Connects to nothing yet. */
export function createArchiver(options: ArchiverOptions): Archiver {
  const { config, tenants, redis, prefix, name, metrics, logger, delay } = options;
  const timing = { ...ARCHIVE_TIMING, ...options.timing };
  const log = createRateLimitedLog({ logger, now: Date.now });
  const connectionString = followDatabaseUrl(config.databaseUrl, config);
  const pool = createArchivePool({ connectionString, timeoutMs: timing.statementMs });
  const writer = createArchiveWriter({ pool });
  const state = createArchiveState({ pool, metrics, logger });
  const patience = createPatience({
    onHiccup: (error) => log.warn({ err: error }, "redis does not serve"),
    delay,
  });
  const [stopping, givingUp] = [new AbortController(), new AbortController()];
  const readers: Redis[] = [];
  let running: Promise<unknown> | undefined;
  let stopped: Promise<void> | undefined;

  function runLane(tenant: string): Promise<void> {
    const reader = options.open(connectForReads({ url: options.redisUrl, name: "assay-archive" }));
    readers.push(reader);
    return runArchiveLane({
      tenant,
      stream: createArchiveStream({ redis, reader, keys: createKeys({ prefix, tenant }), consumer: name }),
      writer,
      state,
      metrics,
      log,
      patience,
      timing,
      random: Math.random,
      delay,
      stopping: stopping.signal,
      givingUp: givingUp.signal,
    });
  }

  async function watch(): Promise<void> {
    while (!stopping.signal.aborted) {
      await state.probe();
      await delay(timing.probeMs, stopping.signal);
    }
  }

  async function stop(): Promise<void> {
    stopping.abort();
    const bound = delay(STOP_WITHIN_MS, givingUp.signal).then(() => givingUp.abort());
    await Promise.race([Promise.all([running, ...readers.map(disconnect)]), bound]);
    givingUp.abort();
    await Promise.race([pool.stop(), delay(1_000, new AbortController().signal)]);
  }

  return {
    start() {
      const care = { config, pool, redis, prefix, name, logger, timing, now: Date.now, delay };
      running ??= Promise.all([...tenants.map(runLane), watch(), careForArchive(care, stopping.signal)]);
    },
    report: () => state.report(),
    stop: () => (stopped ??= stop()),
  };
}
