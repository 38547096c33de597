import type { Producer } from "@assay/client/producer";
import { createLookups, type RefusedSetting } from "@assay/fingerprint";
import { createRateLimitedLog, type Logger } from "@assay/host";
import {
  gravestonesOf,
  holdBucket,
  inquireEvent,
  leaveLine,
  letGoSubmissions,
  loadSubmissions,
  networkHash,
  noteNotFound,
  readAbilities,
  readStoredEvent,
  startAsking,
  stopAsking,
  takeTurn,
  tracesOfEvent,
  type Waiter,
} from "@assay/ledger";
import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { type ApiKeys, createApiKeys, type KeyState } from "./api-keys.ts";
import { type LookupsConfig, type TenantConfig, unsealerOf } from "./config.ts";
import { createLookUp, type LookupLedger } from "./look-up.ts";
import type { LookupTiming } from "./lookup-timing.ts";
import type { WorkerMetrics } from "./metrics.ts";
import { LetGo, type Patience } from "./patience.ts";
import { createReadEvent } from "./read-event.ts";
import type { Sightings } from "./sightings.ts";
import { createSource } from "./source.ts";
import type { Source } from "./sourced.ts";

export interface SourcingOptions {
  readonly tenant: Pick<TenantConfig, "sealedKeys" | "lookups">;
  /** A command connection that is ready. */
  readonly redis: Redis;
  readonly keys: Keys;
  readonly prefix: string;
  /** Whether this is the process where suspects run alone. */
  readonly alone: boolean;
  /** The installation's own key. */
  readonly hashKey: string;
  readonly patience: Patience;
  readonly timing: LookupTiming;
  /** Brings events, and wakes submissions that wait for one. */
  readonly producer: Pick<Producer, "bring" | "tell">;
  readonly metrics: WorkerMetrics;
  readonly sightings: Sightings;
  readonly logger: Logger;
}

const REFUSAL_LOG_INTERVAL_MS = 60_000;

/** Wires the way from a submission to its event. */
export function createSourcing(options: SourcingOptions): Source {
  const { tenant, producer, patience, timing, metrics, sightings, logger } = options;
  const unsealer = unsealerOf(tenant);
  const apiKeys = tenant.lookups === undefined ? undefined : openApiKeys(tenant.lookups, options);
  const readEvent = createReadEvent(metrics);
  const refusals = createRateLimitedLog({ logger, now: Date.now, limit: 1, intervalMs: REFUSAL_LOG_INTERVAL_MS });
  return createSource({
    metrics,
    sightings,
    readEvent,
    canAsk: apiKeys !== undefined,
    bring: async (eventId, event, signal) => {
      const stones = gravestonesOf(options.hashKey, tracesOfEvent(event));
      await patience(() => producer.bring(eventId, JSON.stringify(event), stones), signal);
    },
    lookUp: createLookUp({
      ledger: createLookupLedger(options),
      readEvent,
      timing,
      metrics,
      sightings,
      onRefused: (setting) => refusals.error({}, REFUSED[setting]),
      now: Date.now,
      ...(apiKeys === undefined ? {} : { apiKeys }),
    }),
    ...(unsealer === undefined ? {} : { unsealer }),
  });
}

const REFUSED: Readonly<Record<RefusedSetting, string>> = {
  key: "Fingerprint refuses an API key: it is not used for a minute. Check ASSAY_FINGERPRINT_API_KEYS and ASSAY_FINGERPRINT_REGION, or the tenant's in ASSAY_TENANTS_FILE.",
  ruleset:
    "Fingerprint does not know the ruleset to answer by: lookups end undecided. Correct ASSAY_FINGERPRINT_RULESET_ID, or remove it.",
};

const KEY_STATES: readonly KeyState[] = ["working", "failing", "refused"];

function openApiKeys(
  { apiKeys, ...rest }: LookupsConfig,
  { metrics, logger, timing }: Pick<SourcingOptions, "metrics" | "logger" | "timing">,
): ApiKeys {
  const { timeoutMs, probeAfterMs, refusedMs } = timing;
  return createApiKeys({
    lookups: apiKeys.map((apiKey) => createLookups({ ...rest, apiKey, timeoutMs })),
    probeAfterMs,
    refusedMs,
    now: Date.now,
    // Said once, when it changes; the gauge tells as long as it lasts.
    onState(key, state, before) {
      for (const each of KEY_STATES) metrics.lookupKeys.set({ key, state: each }, each === state ? 1 : 0);
      if (state === "refused") logger.error({ key }, REFUSED.key);
      if (state === "failing") logger.warn({ key }, "lookups by an API key fail in a row: it is only probed for now");
      if (state === "working" && before !== undefined) logger.info({ key }, "an API key works again");
    },
  });
}

function createLookupLedger(options: SourcingOptions): LookupLedger {
  const { redis, keys, hashKey, patience, producer, tenant } = options;
  const rate = tenant.lookups ?? { rps: 1, burst: 1 };
  return {
    readStored: (eventId, signal) => patience(() => readStoredEvent(redis, keys, eventId), signal),
    inquire: (inquirer, signal) => patience(() => inquireEvent(redis, keys, inquirer), signal),
    takeTurn: (work, times, apiKeys, signal) => {
      const { id, isAwaited = false } = work;
      const network = networkHash(hashKey, work.meta.context?.ip);
      return patience(() => takeTurn(redis, keys, { id, isAwaited, network, ...times, apiKeys, rate }), signal);
    },
    startAsking: (inquirer, signal) => patience(() => startAsking(redis, keys, inquirer), signal),
    pauseTry: ({ id, token = "" }, signal) =>
      patience(() => letGoSubmissions(redis, keys, token, [{ id, spendsRetry: false }]), signal),
    async resumeTry({ id, token = "" }, signal) {
      const [loaded] = await patience(
        () => loadSubmissions(redis, keys, [id], { token, alone: options.alone }),
        signal,
      );
      if (loaded?.state !== "ready") throw new LetGo("The submission went on elsewhere while the vendor was asked.");
    },
    takesWebhooks: async (signal) =>
      (await patience(() => readAbilities(redis, options.prefix, keys.tenant), signal)).webhooks === true,
    leaveLine: (id, signal) => patience(() => leaveLine(redis, keys, id), signal),
    holdBucket: (keyId, ms, signal) => patience(() => holdBucket(redis, keys, keyId, ms), signal),
    noteNotFound: async ({ id, token = "", meta: { event_id: eventId = "" } }, isFinal, signal) => {
      const noted = await patience(() => noteNotFound(redis, keys, { eventId, token, isFinal }), signal);
      await patience(() => producer.tell(eventId, othersThan(id, noted.waiters)), signal);
      return noted;
    },
    stopAsking: async (inquirer, signal) => {
      const waiters = await patience(() => stopAsking(redis, keys, inquirer), signal);
      await patience(() => producer.tell(inquirer.eventId, othersThan(inquirer.id, waiters)), signal);
    },
  };
}

function othersThan(id: string, waiters: readonly Waiter[]): Waiter[] {
  return waiters.filter((waiter) => waiter.id !== id);
}
