import {
  createAdminServer,
  createMetrics,
  createProgress,
  createRateLimitedLog,
  type Logger,
  prepareRedis,
  type ReadyReport,
} from "@assay/host";
import { DEFAULT_TENANT } from "@assay/protocol";
import type { IngressConfig } from "./config.ts";
import { openDataPlane } from "./data-plane.ts";
import { createIngressMetrics } from "./metrics.ts";
import { openRedisLink, type RedisLink } from "./redis-link.ts";
import { rotateCredentials } from "./rotating-credentials.ts";
import type { StreamLimits } from "./streams.ts";

/** The data plane: one process that takes submissions and webhooks in and gives verdicts out. */
export interface Ingress {
  /**
   * Opens the admin port, waits for Redis however long it takes, then serves. Rejects with a RedisUnfitError, an
   * AdminServerError or a PortUnavailableError, and with an AbortError when it is stopped meanwhile.
   */
  start(): Promise<IngressPorts>;
  /** Takes no more, answers what is in hand, and closes everything. Safe to call twice. */
  stop(): Promise<void>;
}

export interface IngressPorts {
  readonly port: number;
  readonly adminPort: number;
}

export interface IngressDeps {
  readonly logger: Logger;
  /** Unix ms; the machine's clock when absent. */
  readonly now?: () => number;
  /** Address to listen on; every address of the machine when absent. */
  readonly host?: string;
  /** Bounds of streams of verdicts, where they are not the usual ones. */
  readonly streamLimits?: Partial<StreamLimits>;
}

const WAITING_LOG_INTERVAL_MS = 5000;

/** Puts one ingress together. Nothing is opened before `start`. */
export function createIngress(
  config: IngressConfig,
  { logger, now = Date.now, host, streamLimits = {} }: IngressDeps,
): Ingress {
  const registry = createMetrics("ingress");
  const metrics = createIngressMetrics(registry);
  const progress = createProgress({ now: () => performance.now() });
  const aborted = new AbortController();
  const stops: (() => Promise<void>)[] = [];
  let link: RedisLink | undefined;
  let isServing = false;
  let started: Promise<IngressPorts> | undefined;
  let stopped: Promise<void> | undefined;

  function ready(): ReadyReport {
    const isRedisThere = link?.answers() === true;
    return {
      ready: isServing && isRedisThere,
      checks: { startup: isServing ? "ok" : "not finished", redis: isRedisThere ? "ok" : "does not answer" },
    };
  }

  async function openAdmin(): Promise<number> {
    const admin = createAdminServer({
      port: config.adminPort,
      ...(host === undefined ? {} : { host }),
      registry: registry.registry,
      ready,
      live: () => !progress.isStuck(link?.answers() === true),
      logger,
    });
    stops.push(() => admin.stop());
    return (await admin.start()).port;
  }

  async function openRedis(): Promise<{ readonly link: RedisLink; readonly hashKey: string }> {
    const opened = openRedisLink({ url: config.redisUrl, maxBytes: config.redisMaxBytes, metrics, logger, now });
    link = opened;
    stops.push(() => opened.stop());
    const { warnings, installation } = await prepareRedis({
      redis: opened.redis,
      config,
      waiting: createRateLimitedLog({ logger, now, limit: 1, intervalMs: WAITING_LOG_INTERVAL_MS }),
      signal: aborted.signal,
    });
    for (const warning of [...warnings, ...warningsOf(config)]) logger.warn(warning);
    return { link: opened, hashKey: installation.hashKey };
  }

  async function start(): Promise<IngressPorts> {
    const adminPort = await openAdmin();
    const rotating = rotateCredentials(config, logger);
    stops.push(() => rotating.stop());
    const plane = await openDataPlane({
      config,
      ...(await openRedis()),
      credentials: () => rotating.current(),
      metrics,
      progress,
      logger,
      now,
      host,
      streamLimits,
      signal: aborted.signal,
    });
    stops.push(() => plane.stop());
    isServing = true;
    logger.info({ port: plane.port, admin_port: adminPort, surface: config.surface }, "serving");
    return { port: plane.port, adminPort };
  }

  async function stop(): Promise<void> {
    isServing = false;
    aborted.abort();
    // However the start ends, what it opened is closed.
    await started?.catch(() => undefined);
    for (const each of stops.splice(0).toReversed()) await each();
  }

  return {
    start: () => (started ??= start()),
    stop: () => (stopped ??= stop()),
  };
}

function warningsOf({ surface, credentials }: IngressConfig): string[] {
  if (surface === "api") return [];
  return [...credentials.webhooks].flatMap(([tenant, { secrets, basicAuth }]) => {
    const whose = tenant === DEFAULT_TENANT ? "" : ` of the tenant ${tenant}`;
    const instead = tenant === DEFAULT_TENANT ? "" : ", nor what stands for them in ASSAY_TENANTS_FILE";
    if (secrets.length === 0 && basicAuth === undefined) {
      return [
        `Webhooks${whose} are refused: neither ASSAY_WEBHOOK_SECRETS nor ASSAY_WEBHOOK_BASIC_AUTH is set${instead}.`,
      ];
    }
    return secrets.length > 0 && basicAuth !== undefined
      ? [`The user and password of webhooks${whose} are not used while a webhook secret is set: each must be signed.`]
      : [];
  });
}
