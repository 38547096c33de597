import { setTimeout } from "node:timers/promises";
import type { Producer } from "@assay/client/producer";
import type { Logger } from "@assay/host";
import {
  createGatherer,
  type Gatherer,
  type Inputs,
  type Loaded,
  loadSubmissions,
  noticeSightings,
  pinInputs,
  type Publication,
  type Published,
  publishVerdicts,
  type PinRequest,
  readTombstones,
  tellRuleset,
  unpinInputs,
} from "@assay/ledger";
import { createKeys, DEFAULT_TENANT, type Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { createRulesetTeller } from "./archive/ruleset-teller.ts";
import type { TenantConfig, WorkerConfig } from "./config.ts";
import type { DecidingDeps } from "./decide-submissions.ts";
import { LOOKUP_TIMING, type LookupTiming } from "./lookup-timing.ts";
import type { WorkerMetrics } from "./metrics.ts";
import { createPatience, LetGo, type Patience } from "./patience.ts";
import { createReport } from "./report.ts";
import type { Rulesets } from "./rulesets.ts";
import { createSightings, type Sightings } from "./sightings.ts";
import type { Source } from "./sourced.ts";
import { createSourcing } from "./sourcing.ts";

/** Everything a process needs to decide submissions of one tenant, wired to one Redis. */
export interface Deciding {
  readonly deps: DecidingDeps;
  readonly keys: Keys;
  readonly producer: Producer;
  readonly patience: Patience;
  /** Writes down what it noticed now and then, and the last when it is stopped. */
  readonly sightings: Pick<Sightings, "stop">;
}

export interface DecidingOptions {
  readonly config: WorkerConfig;
  readonly tenant: TenantConfig;
  /** A command connection that is ready. */
  readonly redis: Redis;
  /** The tenant's. */
  readonly rulesets: Rulesets;
  /** The installation's own key. */
  readonly hashKey: string;
  readonly metrics: WorkerMetrics;
  readonly logger: Logger;
  /** Whether this is the process where suspects run alone. */
  readonly alone: boolean;
  /** Told of every hiccup of Redis's. */
  onHiccup(error: Error): void;
  /** The tenant's. */
  readonly producer: Producer;
  /** Other times than the usual. */
  readonly lookupTiming?: Partial<LookupTiming>;
  /** Stands before the real source; for processes that put one around it. */
  readonly aroundSource?: (source: Source) => Source;
}

// As many as a doorbell names, twice: small jobs that are active together share scripts.
const MAX_BATCH = 128;
const MAX_IN_FLIGHT = 4;

/** Wires the story of `decideSubmissions`. */
export function createDeciding(options: DecidingOptions): Deciding {
  const { config, tenant, redis, rulesets, producer, metrics } = options;
  // Where nobody named a tenant, no line speaks of one.
  const logger = tenant.name === DEFAULT_TENANT ? options.logger : options.logger.child({ tenant: tenant.name });
  const keys = createKeys({ prefix: config.prefix, tenant: tenant.name });
  const patience = createPatience({
    onHiccup: (error) => options.onHiccup(error),
    delay: (ms, signal) => setTimeout(ms, undefined, { signal }).catch(() => undefined),
  });
  const sightings = createSightings({ write: (noticed) => noticeSightings(redis, keys, noticed) });
  const source = createSourcing({
    tenant,
    redis,
    keys,
    prefix: config.prefix,
    alone: options.alone,
    hashKey: options.hashKey,
    patience,
    timing: { ...LOOKUP_TIMING, ...options.lookupTiming },
    producer,
    metrics,
    sightings,
    logger,
  });
  const { maxArchiveBytes } = config;
  const tell = createRulesetTeller({
    tellRuleset: (ruleset) => tellRuleset(redis, keys, ruleset, maxArchiveBytes),
    logger,
    now: Date.now,
  });
  const deps: DecidingDeps = {
    ...gatheredScripts(config, { redis, keys, patience, alone: options.alone, hashKey: options.hashKey }),
    source: options.aroundSource?.(source) ?? source,
    rulesets,
    tellRulesets: (folder, signal) => patience(async () => void (await tell(folder)), signal),
    hashKey: options.hashKey,
    isArchived: config.archive !== undefined,
    report: createReport({ metrics, logger, rulesets, sightings, verdictLog: config.verdictLog }),
    now: Date.now,
  };
  return { deps, keys, producer, patience, sightings };
}

interface Store {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly patience: Patience;
}

// A batch waits for Redis as long as it takes; whoever must go leaves it behind, and the batch still ends by itself.
const NEVER = new AbortController().signal;

function gatheredScripts(
  config: WorkerConfig,
  { redis, keys, patience, alone, hashKey }: Store & { alone: boolean; hashKey: string },
): Pick<DecidingDeps, "load" | "readTombstones" | "pin" | "unpin" | "publish"> {
  const batch = { maxItems: MAX_BATCH, maxInFlight: MAX_IN_FLIGHT };
  const pins = createGatherer<PinRequest, Inputs>({
    ...batch,
    flush: (requests) => patience(() => pinInputs(redis, keys, requests), NEVER),
  });
  const { prefix, verdictTtlMs, recordTtlMs, maxArchiveBytes } = config;
  const keeping = {
    prefix,
    verdictTtlMs,
    recordTtlMs,
    hashKey,
    maxArchiveBytes,
    archive: config.archive !== undefined,
  };
  const publishes = createGatherer<Publication, Published>({
    ...batch,
    flush: (publications) => patience(() => publishVerdicts(redis, keys, publications, keeping), NEVER),
  });
  return {
    load: (ids, token, signal): Promise<Loaded[]> =>
      patience(() => loadSubmissions(redis, keys, ids, { token, alone }), signal),
    readTombstones: (lists, signal) => patience(() => readTombstones(redis, keys, hashKey, lists), signal),
    pin: (requests, signal) => addAll(pins, requests, signal),
    unpin: (request, eventId, signal) => patience(() => unpinInputs(redis, keys, request, eventId), signal),
    publish: (publications, signal) => addAll(publishes, publications, signal),
  };
}

async function addAll<Item, Result>(
  gatherer: Gatherer<Item, Result>,
  items: readonly Item[],
  signal: AbortSignal,
): Promise<readonly Result[]> {
  return await orLetGo(Promise.all(items.map((item) => gatherer.add(item))), signal);
}

/** Waits for `work`, or throws LetGo when the signal aborts first. */
async function orLetGo<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new LetGo("Let go while Redis does not answer.", { cause: signal.reason }));
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
