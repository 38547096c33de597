import { randomUUID } from "node:crypto";
import { createAssayClient, type Trimmed } from "@assay/client";
import { followSecretFiles, type Logger, type RateLimitedLog } from "@assay/host";
import { heldOf, isArchiveKnown, planDeliveries, tellEndpoints, type VerdictArchive } from "@assay/ledger";
import { createKeys, deliveryId, type Keys, type Verdict } from "@assay/protocol";
import type { Redis } from "ioredis";
import type { WorkerMetrics } from "../metrics.ts";
import { createPatience } from "../patience.ts";
import { createAddressGuard } from "./address-guard.ts";
import type { DeliverConfig } from "./deliver-config.ts";
import { deliveryBody } from "./delivery-body.ts";
import { DELIVERY_TIMING, type DeliveryTiming } from "./delivery-timing.ts";
import { type Endpoint, isWantedBy } from "./endpoint.ts";
import { createEndpointLane, type EndpointLane, MAX_IN_FLIGHT } from "./endpoint-lane.ts";
import { readEndpointsFile } from "./endpoints-file.ts";
import { type Resolve, resolveBySystem } from "./guarded-lookup.ts";
import { createPost } from "./post-webhook.ts";
import { createReplayer } from "./replayer.ts";

/** Reads the stream of verdicts and sends each to the endpoints that want it. */
export interface Deliverer {
  start(): void;
  /** Takes no more, and resolves when what is in flight has landed. Safe to call twice. */
  stop(): Promise<void>;
}

export interface DelivererOptions {
  readonly config: DeliverConfig;
  /** Names of all tenants. */
  readonly tenants: readonly string[];
  readonly redis: Redis;
  readonly redisUrl: string;
  readonly prefix: string;
  /** Where verdicts are that have left the stream. */
  readonly archive?: VerdictArchive;
  readonly metrics: WorkerMetrics;
  readonly logger: Logger;
  readonly log: RateLimitedLog;
  /** Default: as the operating system does. */
  readonly resolve?: Resolve;
  /** Other times than the usual. */
  readonly timing?: Partial<DeliveryTiming>;
  readonly delay: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The group of consumers that all delivering processes are. Its lag is in `stream_lag`. */
const GROUP = "assay-deliver";

/** Verdicts planned at once, by one process for one tenant. */
const PLANNED_AT_ONCE = 64;

export function createDeliverer(options: DelivererOptions): Deliverer {
  const { config, redis, prefix, archive, metrics, logger, log } = options;
  const timing = { ...DELIVERY_TIMING, ...options.timing };
  const guard = createAddressGuard(config.allowed);
  const patience = createPatience({
    onHiccup: (error) => log.warn({ err: error }, "redis does not serve"),
    delay: options.delay,
  });
  const clients = options.tenants.map((tenant) => ({
    keys: createKeys({ prefix, tenant }),
    client: createAssayClient({ connection: options.redisUrl, tenant, prefix }),
  }));
  let lanes: readonly EndpointLane[] = [];
  // Lanes of a file that has been replaced: what they have in flight still lands.
  const leaving = new Set<Promise<void>>();
  const ending = new AbortController();
  let stopping: Promise<void> | undefined;

  function createLane(endpoint: Endpoint): EndpointLane {
    const settings = {
      guard,
      resolve: options.resolve ?? resolveBySystem,
      now: Date.now,
      maxConnections: MAX_IN_FLIGHT,
    };
    return createEndpointLane({
      endpoint,
      post: createPost(endpoint, { ...settings, timeoutMs: timing.tryMs }),
      keys: createKeys({ prefix, tenant: endpoint.tenant }),
      now: Date.now,
      random: Math.random,
      delay: options.delay,
      redis,
      metrics,
      logger,
      log,
      patience,
      timing,
    });
  }

  function use(endpoints: readonly Endpoint[]): void {
    for (const lane of lanes) {
      const left = lane.stop().finally(() => leaving.delete(left));
      leaving.add(left);
    }
    for (const gauge of [metrics.deliveriesPending, metrics.deliveriesOldest, metrics.endpointPaused]) gauge.reset();
    lanes = endpoints.map(createLane);
    for (const lane of lanes) lane.start();
    for (const { keys } of clients) void tell(keys, endpoints);
  }

  // For `assay endpoints`, which has no file.
  async function tell(keys: Keys, endpoints: readonly Endpoint[]): Promise<void> {
    const mine = endpoints.filter(({ tenant }) => tenant === keys.tenant);
    const known = mine.map(({ name, url }) => ({ name, host: new URL(url).host, hasArchive: archive !== undefined }));
    await patience(() => tellEndpoints(redis, keys, known), ending.signal).catch((error: unknown) => {
      if (!ending.signal.aborted) log.warn({ err: error }, "endpoints could not be told of");
    });
  }

  const files = followSecretFiles({
    files: [
      {
        setting: "ASSAY_ENDPOINTS_FILE",
        path: config.path,
        changed(text) {
          const read = readEndpointsFile(text, { tenants: options.tenants, hasAllowed: config.allowed.length > 0 });
          if (!read.ok) throw new Error(read.faults.map(({ name, message }) => `${name} ${message}`).join(" "));
          use(read.endpoints);
        },
      },
    ],
    logger,
  });

  function tellOfTrimmed({ lost, from, to, archive: has }: Trimmed): void {
    const about = { lost, from: new Date(from).toISOString(), to: new Date(to).toISOString(), archive: has };
    if (has === "follows") return logger.info(about, "verdicts had left the stream and are planned from the archive");
    if (has === "waits") {
      metrics.deliveriesLeft.inc(lost ?? 1);
      const what = "verdicts had left the stream and wait in the archive, which this process cannot read";
      return logger.warn(about, `${what}: they are sent by a worker that delivers with DATABASE_URL`);
    }
    metrics.deliveriesMissed.inc(lost ?? 1);
    logger.error(about, "verdicts had left the stream before they were planned for delivery, and are not sent");
  }

  const lanesOf = (keys: Keys) => lanes.filter(({ endpoint }) => endpoint.tenant === keys.tenant);

  async function plan(
    keys: Keys,
    among: readonly EndpointLane[],
    verdicts: readonly Verdict[],
    signal: AbortSignal,
  ): Promise<number> {
    const deliveries = verdicts.flatMap((verdict) => {
      const of = heldOf(verdict);
      return among
        .filter(({ endpoint }) => isWantedBy(endpoint, verdict))
        .map(({ endpoint: { name, fields } }) => ({
          id: deliveryId(keys.tenant, name, verdict.id),
          endpoint: name,
          body: deliveryBody(verdict, fields),
          ...(of === undefined ? {} : { of }),
        }));
    });
    await patience(() => planDeliveries(redis, keys, deliveries), signal);
    const woken = new Set(deliveries.map(({ endpoint }) => endpoint));
    for (const lane of among) if (woken.has(lane.endpoint.name)) lane.wake();
    return deliveries.length;
  }

  const replayer = createReplayer({
    redis,
    tenants: clients.map(({ keys }) => keys),
    ...(archive === undefined ? {} : { archive }),
    isArchiveKnown: (keys) => isArchiveKnown({ redis, keys, group: GROUP }),
    knows: (keys, name) => lanesOf(keys).some(({ endpoint }) => endpoint.name === name),
    plan: (keys, name, verdicts) =>
      plan(
        keys,
        lanesOf(keys).filter(({ endpoint }) => endpoint.name === name),
        verdicts,
        ending.signal,
      ),
    name: randomUUID(),
    pollMs: timing.pollMs,
    logger,
    log,
    delay: options.delay,
  });

  async function stop(): Promise<void> {
    ending.abort();
    await files.stop();
    await replayer.stop();
    await Promise.all(clients.map(({ client }) => client.close()));
    await Promise.all([...lanes.map((lane) => lane.stop()), ...leaving]);
  }

  return {
    start() {
      use(config.endpoints);
      for (const { client, keys } of clients) {
        client.consume(
          {
            group: GROUP,
            concurrency: PLANNED_AT_ONCE,
            takeoverAfterMs: timing.takeoverAfterMs,
            ...(archive === undefined ? {} : { archive }),
            onTrimmed: tellOfTrimmed,
            onError: (error) =>
              log.warn({ err: error }, "verdicts could not be planned for delivery; it is tried again"),
          },
          async (verdict, { signal }) => void (await plan(keys, lanesOf(keys), [verdict], signal)),
        );
      }
      replayer.start();
    },
    stop: () => (stopping ??= stop()),
  };
}
