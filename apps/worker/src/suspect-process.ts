import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { createProducer } from "@assay/client/producer";
import { createLogger, createMetrics, type Logger } from "@assay/host";
import { connectForCommands, letGoSubmissions, openInstallation, whenReady } from "@assay/ledger";
import type { Redis } from "ioredis";
import { loadConfig, type WorkerConfig } from "./config.ts";
import { decideSubmissions } from "./decide-submissions.ts";
import { createDeciding, type Deciding } from "./deciding.ts";
import type { Doorbell } from "./doorbell.ts";
import { createWorkerMetrics } from "./metrics.ts";
import { followRulesets } from "./rulesets.ts";
import type { Source } from "./sourced.ts";
import { dieOfStandstill } from "./standstill.ts";

/** What all tenants share in this process. */
interface Opened {
  readonly config: WorkerConfig;
  readonly logger: Logger;
  readonly redis: Redis;
  readonly hashKey: string;
}

/**
 * Decides the suspect that a doorbell names. BullMQ runs it in a child process: what the suspect breaks, it breaks
 * alone. A tenant's rulesets are loaded for its first suspect, so that they are no other tenant's trouble.
 */
export function createSuspectProcess(aroundSource?: (source: Source) => Source) {
  const tenants = new Map<string, Promise<Deciding>>();
  let opened: Promise<Opened> | undefined;
  let atWork: Promise<unknown> = Promise.resolve();
  const stopping = new AbortController();
  process.once("SIGTERM", () => stopping.abort());
  // A suspect that hangs its process is as much a poison as one that kills it.
  dieOfStandstill();
  // The worker is gone, however it went: nobody else would end this process.
  process.once("disconnect", () => {
    stopping.abort();
    void Promise.allSettled([atWork]).then(() => process.exit());
  });

  async function open(): Promise<Opened> {
    const config = loadConfig();
    const logger = createLogger({ name: "worker", level: config.logLevel });
    const redis = connectForCommands({ url: config.redisUrl, name: "assay-suspect" });
    redis.on("error", (error) => logger.debug({ err: error }, "redis connection"));
    try {
      await whenReady(redis, stopping.signal);
      const { hashKey } = await openInstallation(redis, config.prefix, randomBytes(32).toString("hex"));
      return { config, logger, redis, hashKey };
    } catch (error) {
      redis.disconnect();
      throw error;
    }
  }

  async function openTenant({ config, logger, redis, hashKey }: Opened, name: string): Promise<Deciding> {
    const tenant = config.tenants.find((configured) => configured.name === name);
    if (tenant === undefined) throw new Error(`The tenant ${name} is not known here: name it in ASSAY_TENANTS_FILE.`);
    const metrics = createWorkerMetrics(createMetrics("worker"));
    const rulesets = await followRulesets({
      folder: tenant.rulesetsFolder,
      tenants: [name],
      logger,
      metrics,
      now: Date.now,
      delay: (ms, signal) => setTimeout(ms, undefined, { signal, ref: false }).catch(() => undefined),
    });
    stopping.signal.addEventListener("abort", () => void rulesets.stop(), { once: true });
    const producer = await createProducer({ redis, prefix: config.prefix, tenant: name, signal: stopping.signal });
    return createDeciding({
      config,
      tenant,
      redis,
      rulesets,
      hashKey,
      producer,
      metrics,
      logger,
      alone: true,
      onHiccup: (error) => logger.debug({ err: error }, "redis does not serve"),
      ...(aroundSource === undefined ? {} : { aroundSource }),
    });
  }

  // The next suspect tries again what failed.
  function decidingOf(shared: Opened, name: string): Promise<Deciding> {
    const known = tenants.get(name);
    if (known !== undefined) return known;
    const opening = openTenant(shared, name);
    tenants.set(name, opening);
    opening.catch(() => tenants.delete(name));
    return opening;
  }

  async function decide({ tenant, ids }: Doorbell): Promise<void> {
    opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    const shared = await opened;
    const { deps, keys } = await decidingOf(shared, tenant);
    const letGo = (those: readonly string[]) =>
      letGoSubmissions(
        shared.redis,
        keys,
        token,
        those.map((id) => ({ id, spendsRetry: false })),
      );
    const token = randomUUID();
    try {
      const outcomes = await decideSubmissions(deps, ids, { token, mayAsk: true, signal: stopping.signal });
      const waiting = outcomes.filter(({ status }) => status === "wait").map(({ id }) => id);
      // A lookup that must wait goes back to its lane: the reconciler rings for it there.
      if (waiting.length > 0) await letGo(waiting);
    } catch (error) {
      // A script that failed is no death of the submission's: the try is given back.
      await letGo(ids).catch(() => undefined);
      throw error;
    }
  }

  return async (doorbell: Doorbell): Promise<void> => {
    const work = decide(doorbell);
    atWork = work;
    await work;
  };
}
