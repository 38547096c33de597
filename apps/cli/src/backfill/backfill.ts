import { createArchivePool, createArchiveReader } from "@assay/archive";
import { createProducer } from "@assay/client/producer";
import { createEventSearch } from "@assay/fingerprint";
import { erasedEvents, eventsUnderWay, readMemoryRatio, tombstoneHash } from "@assay/ledger";
import { backfillId, createKeys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { readDatabaseUrl } from "../database-url.ts";
import { installationOf } from "../installation.ts";
import { reachRedis } from "../reach-redis.ts";
import { CommandError, EXIT, type Report, type World } from "../report.ts";
import { takeBackfillLease } from "./backfill-lease.ts";
import { type BackfillSettings, readBackfillSettings } from "./backfill-settings.ts";
import { createPatience } from "./patience.ts";
import { mayPass, whyOf } from "./passing-faults.ts";
import { waitForRoom } from "./room.ts";
import { runBackfill } from "./run-backfill.ts";
import { backfillReport, progressLine } from "./show-backfill.ts";
import { createStateStore, freshState } from "./state.ts";
import { readRange } from "./time-range.ts";
import { createVendorPages } from "./vendor-pages.ts";
import { createVendorRate } from "./vendor-rate.ts";

export interface BackfillOptions {
  readonly since: string;
  readonly until?: string;
  readonly tenant: string;
  readonly dryRun?: boolean;
  readonly restart?: boolean;
  /** False shows none. */
  readonly progress: boolean;
}

/** What goes on outside. */
export interface BackfillWorld extends World {
  /** Unix ms; goes on. */
  readonly clock: () => number;
  readonly delay: (ms: number) => Promise<unknown>;
}

/** For so long the vendor, Redis and the archive may be away, and workers busy. */
const GIVE_UP_AFTER_MS = 600_000;

const DAY_MS = 86_400_000;

type Stops = (() => Promise<unknown>)[];

/**
 * `assay backfill`: finds the events at Fingerprint that the archive has never seen, and hands them in. What it did is
 * kept, so that the same command line goes on after a failure.
 */
export async function backfill(options: BackfillOptions, world: BackfillWorld): Promise<Report> {
  const settings = readBackfillSettings(world.env, options.tenant);
  const connectionString = readDatabaseUrl(world.env);
  const range = readRange(options.since, options.until, world.now);
  const stops: Stops = [];
  try {
    // Sent again of itself, a submission would be told that somebody had made it before.
    const reached = await reachRedis(settings.redisUrl, { name: "assay-backfill", resends: false });
    if (reached.redis === undefined) throw new CommandError(EXIT.unavailable, `${reached.why}: ${reached.todo}.`);
    const { redis } = reached;
    stops.push(() => reached.close());
    // Nobody would decide what is handed in elsewhere.
    const { hashKey } = await installationOf(redis, settings.prefix);
    return await walk({ options, world, settings, connectionString, range, redis, hashKey }, stops);
  } catch (error) {
    if (error instanceof CommandError || !mayPass(error)) throw error;
    const todo = "Run the same command line again: what was done is kept.";
    throw new CommandError(EXIT.unavailable, `${whyOf(error)}. ${todo}`, { cause: error });
  } finally {
    if (options.progress) world.showProgress?.("");
    for (const stop of stops.toReversed()) await stop().catch(() => undefined);
  }
}

interface Walk {
  readonly options: BackfillOptions;
  readonly world: BackfillWorld;
  readonly settings: BackfillSettings;
  readonly connectionString: string;
  readonly range: ReturnType<typeof readRange>;
  readonly redis: Redis;
  readonly hashKey: string;
}

async function walk(walking: Walk, stops: Stops): Promise<Report> {
  const { options, world, settings, connectionString, range, redis, hashKey } = walking;
  const { clock, delay } = world;
  const { prefix, tenant, lookups } = settings;
  const { dryRun = false } = options;
  const keys = createKeys({ prefix, tenant });
  const archive = createArchiveReader({ pool: createArchivePool({ connectionString }) });
  stops.push(() => archive.stop());
  // An archive that is not there, or has no tables, is told at once.
  await archive.knownEvents({ tenant, eventIds: [] });
  const lease = dryRun
    ? undefined
    : await takeBackfillLease(redis, keys, { holder: Buffer.from(world.randomBytes(16)).toString("hex"), delay });
  stops.push(async () => lease?.stop());
  const store = createStateStore(redis, keys, options);
  const kept = dryRun || options.restart === true ? undefined : await store.read();
  const keptSince = (now: number) => now - settings.retentionDays * DAY_MS;
  if (kept === undefined && range.since < keptSince(world.now))
    throw beyondArchive(settings.retentionDays, keptSince(world.now));
  const begun = kept ?? freshState(range);

  const show = options.progress ? world.showProgress : undefined;
  let line = progressLine(begun);
  const patience = createPatience({
    giveUpAfterMs: GIVE_UP_AFTER_MS,
    clock,
    delay,
    onWait: (why) => show?.(`${line}  ${why}: waiting`),
  });
  const producer = await createProducer({ redis, prefix, tenant, signal: AbortSignal.timeout(GIVE_UP_AFTER_MS) });
  stops.push(() => producer.stop());
  const room = {
    memoryRatio: () => readMemoryRatio(redis, settings.redisMaxBytes),
    pending: () => redis.zcard(keys.pending("background")),
  };
  const { apiKeys, region, apiUrl, rps, burst } = lookups;
  const whom = { region, ...(apiUrl === undefined ? {} : { apiUrl }) };
  const counts = await keepingWhatWasDone(dryRun, () =>
    runBackfill(
      {
        dryRun,
        keptSince: () => keptSince(clock()),
        isErased: (events) => erasedEvents(redis, keys, hashKey, events),
        pages: createVendorPages({
          searches: apiKeys.map((apiKey) => createEventSearch({ ...whom, apiKey })),
          rate: createVendorRate({ redis, keys, rate: { rps, burst }, clock, delay }),
          patience,
          until: begun.until,
        }),
        knownEvents: (eventIds) => archive.knownEvents({ tenant, eventIds }),
        eventsUnderWay: (eventIds) => eventsUnderWay(redis, keys, eventIds),
        waitForRoom: () => waitForRoom(room, patience),
        async submit({ event_id: eventId }, payload) {
          const id = backfillId(tenant, eventId);
          const submission = { kind: "backfill", event_id: eventId, payload } as const;
          return (await producer.submit({ id, submission })).status === "accepted";
        },
        async patiently(act) {
          for (;;) {
            try {
              const answer = await act();
              patience.reset();
              return answer;
            } catch (error) {
              if (!mayPass(error)) throw error;
              await patience.wait(whyOf(error));
            }
          }
        },
        markOf: (value) => tombstoneHash(hashKey, { kind: "event", value }),
        async save(state) {
          lease?.check();
          if (!dryRun) await store.write(state);
        },
        onPage(state) {
          line = progressLine(state);
          show?.(line);
        },
      },
      begun,
    ),
  );
  if (!dryRun) await store.forget();
  const { since, until } = begun;
  return backfillReport({ tenant, since, until, counts, dryRun, resumed: kept !== undefined });
}

function beyondArchive(retentionDays: number, keptSince: number): CommandError {
  const since = new Date(keptSince).toISOString();
  return new CommandError(
    EXIT.usage,
    `The archive keeps verdicts for ${retentionDays} days (ASSAY_RETENTION_DAYS): what is older looks as if it had never been seen. Name a --since of ${since} or later.`,
  );
}

async function keepingWhatWasDone<Answer>(dryRun: boolean, act: () => Promise<Answer>): Promise<Answer> {
  try {
    return await act();
  } catch (error) {
    if (dryRun || !(error instanceof CommandError)) throw error;
    const kept = "What was done is kept: the same command line goes on from there.";
    throw new CommandError(error.exitCode, `${error.message} ${kept}`, { cause: error });
  }
}
