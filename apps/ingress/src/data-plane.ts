import { createProducer } from "@assay/client/producer";
import { createVerdictWaiter } from "@assay/client/waiter";
import { createRateLimitedLog, type Logger, type Progress } from "@assay/host";
import { connectForWork, redisErrorKind } from "@assay/ledger";
import { createKeys, DEFAULT_TENANT, type ProblemError } from "@assay/protocol";
import { createAdmission } from "./admission.ts";
import type { IngressConfig } from "./config.ts";
import type { Credentials } from "./credentials.ts";
import { createLedgerReader } from "./ledger-reader.ts";
import type { IngressMetrics } from "./metrics.ts";
import type { RedisLink } from "./redis-link.ts";
import type { App } from "./route.ts";
import { createServer } from "./server.ts";

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
  const { config, link, progress } = options;
  const { surface, openapi, durability } = config;
  const parts = await openParts(options);
  const keys = createKeys(config);
  let stopping: Promise<void> | undefined;
  const app = await createServer({
    ...options,
    ...parts,
    surface,
    openapi,
    durability,
    tenant: DEFAULT_TENANT,
    reader: createLedgerReader({ redis: link.redis, keys, now: options.now }),
    outcomes: { redis: link.redis, keys, hashKey: options.hashKey },
    onInHand(count, oneEnded) {
      progress.busy(count);
      if (oneEnded) progress.worked();
    },
    onTrouble: reportTrouble(options),
    isStopping: () => stopping !== undefined,
  });
  async function close(): Promise<void> {
    // Whoever waits for a verdict is told that it is pending, so that the door can close at once.
    await parts.waiter.stop();
    await app.close();
    await parts.admission.stop();
    await parts.producer.stop();
  }
  const stop = () => (stopping ??= close());
  try {
    const port = await listen(app, config.port, options.host);
    parts.admission.start();
    return { port, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What the routes hand their work to. */
async function openParts({ config, link, metrics, logger, now, signal }: DataPlaneOptions) {
  const { prefix, redisUrl } = config;
  const { redis } = link;
  const producer = await createProducer({
    redis,
    prefix,
    now,
    signal,
    onShed: (lane) => metrics.shed(lane, "overload"),
  });
  const waiter = createVerdictWaiter({
    redis,
    connect: () => connectForWork({ url: redisUrl, name: "assay-ingress-waiter" }),
    keys: createKeys(config),
    prefix,
  });
  const admission = createAdmission({
    readRatio: () => link.readMemoryRatio(),
    onGate: (gate) => logger.warn({ gate }, "the memory of Redis moved the gate"),
  });
  return { producer, waiter, admission };
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
    if (code === "internal_error") log.error({ code, err: cause }, "a request failed");
  };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
