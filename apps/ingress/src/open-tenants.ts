import { createProducer, type Producer } from "@assay/client/producer";
import { createVerdictWaiter } from "@assay/client/waiter";
import { connectForReads, connectForWork, redisErrorKind, tellAbility } from "@assay/ledger";
import { createKeys } from "@assay/protocol";
import type { Redis } from "ioredis";
import type { Admission } from "./admission.ts";
import type { IngressConfig } from "./config.ts";
import { createLedgerReader } from "./ledger-reader.ts";
import type { IngressMetrics } from "./metrics.ts";
import type { IngressTenant } from "./read-credentials.ts";
import type { TenantDeps } from "./route.ts";
import { createVerdictFeed } from "./verdict-feed.ts";

/** What serves the tenants, all on one connection for commands. */
export interface OpenTenants {
  /** By name. */
  readonly deps: ReadonlyMap<string, TenantDeps>;
  /** Whoever waits for a verdict waits no longer. Safe to call twice. */
  endWaits(): Promise<void>;
  /** Finishes what was handed in. Safe to call twice. */
  stop(): Promise<void>;
}

export interface OpenTenantsOptions {
  readonly config: IngressConfig;
  readonly redis: Redis;
  /** The installation's own key of hashes. */
  readonly hashKey: string;
  readonly admission: Admission;
  /** Whether a tenant has credentials for webhooks. */
  readonly takesWebhooks: (tenant: string) => boolean;
  readonly metrics: IngressMetrics;
  /** Unix ms. */
  readonly now: () => number;
  /** Gives up opening. */
  readonly signal: AbortSignal;
}

/** Opens queues for each tenant. A tenant's waiter connects at its first wait. */
export async function openTenants(options: OpenTenantsOptions): Promise<OpenTenants> {
  const { redis, metrics, now, signal } = options;
  const { prefix, surface, tenants } = options.config;
  const open = ({ name }: IngressTenant) =>
    createProducer({ redis, prefix, tenant: name, now, signal, onShed: (lane) => metrics.shed(lane, "overload") });
  // In order: each takes a few commands, and one that fails leaves nothing of those behind it open.
  const producers: Producer[] = [];
  const deps = new Map<string, TenantDeps>();
  const stop = async () => void (await Promise.all(producers.map((producer) => producer.stop())));
  try {
    for (const tenant of tenants) {
      // One that serves no webhooks cannot say whether another does.
      if (surface !== "api")
        await tellAbility(redis, prefix, tenant.name, "webhooks", options.takesWebhooks(tenant.name));
      const producer = await open(tenant);
      producers.push(producer);
      deps.set(tenant.name, depsOf(options, tenant, producer));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    deps,
    endWaits: async () => void (await Promise.all([...deps.values()].map(({ waiter }) => waiter.stop()))),
    stop,
  };
}

function depsOf(options: OpenTenantsOptions, { name, webhookVerdicts }: IngressTenant, producer: Producer): TenantDeps {
  const { redis, hashKey, admission, metrics, now } = options;
  const { prefix, redisUrl, durability } = options.config;
  const keys = createKeys({ prefix, tenant: name });
  const connect = () => connectForWork({ url: redisUrl, name: "assay-ingress-waiter" });
  return {
    tenant: name,
    durability,
    webhookVerdicts,
    producer,
    admission,
    metrics,
    reader: createLedgerReader({ redis, keys, now }),
    waiter: createVerdictWaiter({ redis, connect, keys, prefix }),
    outcomes: { redis, keys, hashKey },
    feed: createVerdictFeed({
      redis,
      connect: () => connectForReads({ url: redisUrl, name: "assay-ingress-feed" }),
      keys,
      onError: (error) => metrics.redisError(redisErrorKind(error)),
    }),
  };
}
