import { createAssayClient } from "@assay/client";
import { followSecretFiles, type Logger, type RateLimitedLog } from "@assay/host";
import { planDeliveries } from "@assay/ledger";
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
  const { config, redis, prefix, metrics, logger, log } = options;
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

  async function plan(keys: Keys, verdict: Verdict, signal: AbortSignal): Promise<void> {
    const wanting = lanes.filter(({ endpoint }) => endpoint.tenant === keys.tenant && isWantedBy(endpoint, verdict));
    const deliveries = wanting.map(({ endpoint: { name, fields } }) => ({
      id: deliveryId(keys.tenant, name, verdict.id),
      endpoint: name,
      body: deliveryBody(verdict, fields),
    }));
    await patience(() => planDeliveries(redis, keys, deliveries), signal);
    for (const lane of wanting) lane.wake();
  }

  async function stop(): Promise<void> {
    await files.stop();
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
            onError: (error) =>
              log.warn({ err: error }, "verdicts could not be planned for delivery; it is tried again"),
          },
          (verdict, { signal }) => plan(keys, verdict, signal),
        );
      }
    },
    stop: () => (stopping ??= stop()),
  };
}
