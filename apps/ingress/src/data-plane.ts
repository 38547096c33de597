import { createRateLimitedLog, followDatabaseUrl, type Logger, type Progress } from "@assay/host";
import { redisErrorKind } from "@assay/ledger";
import type { ProblemError } from "@assay/protocol";
import { createAdmission } from "./admission.ts";
import { openArchiveLink } from "./archive-link.ts";
import type { IngressConfig } from "./config.ts";
import type { Credentials } from "./credentials.ts";
import type { IngressMetrics } from "./metrics.ts";
import type { RedisLink } from "./redis-link.ts";
import type { App } from "./route.ts";
import { openTenants } from "./open-tenants.ts";
import { createServer } from "./server.ts";
import { createStreamArchive } from "./stream-archive.ts";
import { createStreams, type StreamLimits } from "./streams.ts";
import { watchUnusedConnections } from "./unused-connections.ts";

/** The routes, listening. */
export interface DataPlane {
  readonly port: number;
  /** Takes no more, ends the waits, answers what is in hand. Safe to call twice. */
  stop(): Promise<void>;
}

export interface DataPlaneOptions {
  readonly config: IngressConfig;
  readonly link: RedisLink;
  /** The installation's own key of hashes. */
  readonly hashKey: string;
  readonly credentials: () => Credentials;
  readonly metrics: IngressMetrics;
  readonly progress: Progress;
  readonly logger: Logger;
  /** Unix ms. */
  readonly now: () => number;
  /** Address to listen on; every address of the machine when absent. */
  readonly host: string | undefined;
  readonly streamLimits: Partial<StreamLimits>;
  /** Gives up opening. */
  readonly signal: AbortSignal;
}

/** The data port cannot be opened. */
export class PortUnavailableError extends Error {
  override readonly name = "PortUnavailableError";
  readonly code = "port_unavailable";
}

/** Builds the routes on a Redis that is ready, and listens. */
export async function openDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  const { config, link, metrics, progress, logger } = options;
  const { surface, openapi } = config;
  const admission = createAdmission({
    readRatio: () => link.readMemoryRatio(),
    onGate: (gate) => logger.warn({ gate }, "the memory of Redis moved the gate"),
  });
  const takesWebhooks = (tenant: string) => {
    const { secrets = [], basicAuth } = options.credentials().webhooks.get(tenant) ?? {};
    return secrets.length > 0 || basicAuth !== undefined;
  };
  const tenants = await openTenants({ ...options, redis: link.redis, admission, takesWebhooks });
  const { databaseUrl } = config;
  const archive =
    databaseUrl === undefined ? undefined : openArchiveLink({ url: followDatabaseUrl(databaseUrl, config) });
  const streams = createStreams({
    ...(archive === undefined ? {} : { archive: createStreamArchive(archive) }),
    metrics,
    now: options.now,
    limits: options.streamLimits,
  });
  let stopping: Promise<void> | undefined;
  const app = await createServer({
    ...options,
    metrics,
    surface,
    openapi,
    tenants: tenants.deps,
    streams,
    ...(archive === undefined ? {} : { archive }),
    onInHand(count, oneEnded) {
      progress.busy(count);
      if (oneEnded) progress.worked();
    },
    onTrouble: reportTrouble(options),
    isStopping: () => stopping !== undefined,
  });
  const endUnused = watchUnusedConnections(app.server);
  async function close(): Promise<void> {
    // Whoever waits for a verdict is told that it is pending, so that the door can close at once.
    await Promise.all([tenants.endWaits(), streams.stop()]);
    const closing = app.close();
    endUnused();
    await closing;
    await admission.stop();
    await Promise.all([tenants.stop(), archive?.stop()]);
  }
  const stop = () => (stopping ??= close());
  try {
    const port = await listen(app, config.port, options.host);
    admission.start();
    return { port, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function listen(app: App, port: number, host: string | undefined): Promise<number> {
  try {
    await app.listen({ port, host: host ?? "::" });
  } catch (cause) {
    // A machine without IPv6.
    if (host === undefined && codeOf(cause) === "EAFNOSUPPORT") return listen(app, port, "0.0.0.0");
    throw new PortUnavailableError(`Port ${port} cannot be opened. Free it, or set PORT to another (0 takes any).`, {
      cause,
    });
  }
  const address = app.server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}

/** Counts and logs why a request was answered with 500 or above. */
function reportTrouble({ metrics, logger, now }: DataPlaneOptions): (problem: ProblemError) => void {
  const log = createRateLimitedLog({ logger, now });
  return (problem) => {
    const { code, cause } = problem;
    if (code === "unavailable") {
      metrics.redisError(redisErrorKind(cause));
      log.warn({ code, err: cause }, "a request could not be served");
    }
    if (code === "archive_unavailable") log.warn({ code, err: cause }, "the archive could not be read");
    if (code === "internal_error") log.error({ code, err: cause }, "a request failed");
  };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
