import { createLookups, type RefusedSetting } from "@assay/fingerprint";
import { createRateLimitedLog, type Logger } from "@assay/host";
import {
  bringEvent,
  forgetWaiters,
  holdBucket,
  inquireEvent,
  keyedHash,
  leaveLine,
  noteNotFound,
  readStoredEvent,
  stopAsking,
  takeTurn,
  type Work,
} from "@assay/ledger";
import { type Keys, parseAddress } from "@assay/protocol";
import type { Redis } from "ioredis";
import { type ApiKeys, createApiKeys, type KeyState } from "./api-keys.ts";
import { type LookupsConfig, unsealerOf, type WorkerConfig } from "./config.ts";
import { createLookUp, type LookupLedger } from "./look-up.ts";
import type { LookupTiming } from "./lookup-timing.ts";
import type { WorkerMetrics } from "./metrics.ts";
import type { Patience } from "./patience.ts";
import { createReadEvent } from "./read-event.ts";
import type { Sightings } from "./sightings.ts";
import { createSource } from "./source.ts";
import type { Source } from "./sourced.ts";

export interface SourcingOptions {
  readonly config: Pick<WorkerConfig, "sealedKeys" | "lookups">;
  /** A command connection that is ready. */
  readonly redis: Redis;
  readonly keys: Keys;
  /** The installation's own key. */
  readonly hashKey: string;
  readonly patience: Patience;
  readonly timing: LookupTiming;
  /** Rings for submissions whose event has come. Throws what Redis throws. */
  readonly wake: (ids: readonly string[]) => Promise<void>;
  readonly metrics: WorkerMetrics;
  readonly sightings: Sightings;
  readonly logger: Logger;
}

const REFUSAL_LOG_INTERVAL_MS = 60_000;

/** Wires the way from a submission to its event. */
export function createSourcing(options: SourcingOptions): Source {
  const { config, redis, keys, patience, timing, metrics, sightings, logger } = options;
  const unsealer = unsealerOf(config);
  const apiKeys = config.lookups === undefined ? undefined : openApiKeys(config.lookups, options);
  const readEvent = createReadEvent(metrics);
  const refusals = createRateLimitedLog({ logger, now: Date.now, limit: 1, intervalMs: REFUSAL_LOG_INTERVAL_MS });
  return createSource({
    metrics,
    sightings,
    readEvent,
    canAsk: apiKeys !== undefined,
    bring: async (eventId, json, signal) => {
      const waiters = await patience(() => bringEvent(redis, keys, eventId, json), signal);
      await tell(options, eventId, waiters, signal);
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
  key: "Fingerprint refuses an API key: it is not used for a minute. Check ASSAY_FINGERPRINT_API_KEYS and ASSAY_FINGERPRINT_REGION.",
  ruleset:
    "Fingerprint does not know the ruleset to answer by: lookups end undecided. Correct ASSAY_FINGERPRINT_RULESET_ID, or remove it.",
};

const KEY_STATES: readonly KeyState[] = ["working", "failing", "refused"];

function openApiKeys(
  { apiKeys, ...rest }: LookupsConfig,
  { metrics, logger, timing }: Pick<SourcingOptions, "metrics" | "logger" | "timing">,
): ApiKeys {
  const { timeoutMs, probeAfterMs, refusedMs } = timing;
  // Said once, when it changes; the gauge tells as long as it lasts.
  const alarm = new Map<string, KeyState>();
  return createApiKeys({
    lookups: apiKeys.map((apiKey) => createLookups({ ...rest, apiKey, timeoutMs })),
    probeAfterMs,
    refusedMs,
    now: Date.now,
    onState(key, state) {
      for (const each of KEY_STATES) metrics.lookupKeys.set({ key, state: each }, each === state ? 1 : 0);
      const before = alarm.get(key);
      alarm.set(key, state);
      if (state === "refused") logger.error({ key }, REFUSED.key);
      if (state === "failing") logger.warn({ key }, "lookups by an API key fail in a row: it is only probed for now");
      if (state === "working" && before !== undefined) logger.info({ key }, "an API key works again");
    },
  });
}

function createLookupLedger(options: SourcingOptions): LookupLedger {
  const { redis, keys, hashKey, patience, config } = options;
  const rate = config.lookups ?? { rps: 1, burst: 1 };
  return {
    readStored: (eventId, signal) => patience(() => readStoredEvent(redis, keys, eventId), signal),
    inquire: (inquirer, signal) => patience(() => inquireEvent(redis, keys, inquirer), signal),
    takeTurn: (work, withinMs, apiKeys, signal) => {
      const { id, isAwaited = false } = work;
      const network = keyedHash(hashKey, "turn", networkOf(work));
      return patience(() => takeTurn(redis, keys, { id, isAwaited, network, withinMs, apiKeys, rate }), signal);
    },
    leaveLine: (id, signal) => patience(() => leaveLine(redis, keys, id), signal),
    holdBucket: (keyId, ms, signal) => patience(() => holdBucket(redis, keys, keyId, ms), signal),
    noteNotFound: async ({ eventId, id }, isFinal, signal) => {
      const noted = await patience(() => noteNotFound(redis, keys, eventId, isFinal), signal);
      await tell(options, eventId, othersThan(id, noted.waiters), signal);
      return noted;
    },
    stopAsking: async (inquirer, signal) => {
      const waiters = await patience(() => stopAsking(redis, keys, inquirer), signal);
      await tell(options, inquirer.eventId, othersThan(inquirer.id, waiters), signal);
    },
  };
}

/** Rings for those that wait for an event. Who was rung for and who died before is rung for again. */
async function tell(
  { redis, keys, patience, wake }: SourcingOptions,
  eventId: string,
  waiters: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  if (waiters.length === 0) return;
  await patience(() => wake(waiters), signal);
  await patience(() => forgetWaiters(redis, keys, eventId, waiters), signal);
}

function othersThan(id: string, waiters: readonly string[]): string[] {
  return waiters.filter((waiter) => waiter !== id);
}

/** Whom a submission's event was presented by, as far as the caller tells. */
function networkOf({ meta: { context } }: Work): string {
  return context?.ip === undefined ? "" : (parseAddress(context.ip)?.network ?? context.ip);
}
