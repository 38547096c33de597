import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { createProducer } from "@assay/client/producer";
import { createLogger, createMetrics, type Logger } from "@assay/host";
import { connectForCommands, letGoSubmissions, openInstallation, whenReady } from "@assay/ledger";
import type { Redis } from "ioredis";
import { loadConfig, type WorkerConfig } from "./config.ts";
import { decideSubmissions } from "./decide-submissions.ts";
import { createDeciding } from "./deciding.ts";
import { createWorkerMetrics } from "./metrics.ts";
import { followRulesets } from "./rulesets.ts";
import type { Source } from "./sourced.ts";
import { dieOfStandstill } from "./standstill.ts";

/** Decides one suspect. BullMQ runs it in a child process: what the suspect breaks, it breaks alone. */
export function createSuspectProcess(aroundSource?: (source: Source) => Source) {
  let opened: ReturnType<typeof open> | undefined;
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

  async function open() {
    const config = loadConfig();
    const logger = createLogger({ name: "worker", level: config.logLevel });
    const redis = connectForCommands({ url: config.redisUrl, name: "assay-suspect" });
    redis.on("error", (error) => logger.debug({ err: error }, "redis connection"));
    try {
      return await openOn(redis, config, logger);
    } catch (error) {
      redis.disconnect();
      throw error;
    }
  }

  async function openOn(redis: Redis, config: WorkerConfig, logger: Logger) {
    await whenReady(redis, stopping.signal);
    const { hashKey } = await openInstallation(redis, config.prefix, randomBytes(32).toString("hex"));
    const metrics = createWorkerMetrics(createMetrics("worker"));
    const rulesets = await followRulesets({
      folder: config.rulesetsFolder,
      logger,
      metrics,
      now: Date.now,
      delay: (ms, signal) => setTimeout(ms, undefined, { signal, ref: false }).catch(() => undefined),
    });
    stopping.signal.addEventListener("abort", () => void rulesets.stop(), { once: true });
    const producer = await createProducer({ redis, prefix: config.prefix, signal: stopping.signal });
    const deciding = createDeciding({
      config,
      redis,
      rulesets,
      hashKey,
      metrics,
      logger,
      alone: true,
      onHiccup: (error) => logger.debug({ err: error }, "redis does not serve"),
      wake: (ids) => producer.wake(ids),
      ...(aroundSource === undefined ? {} : { aroundSource }),
    });
    return {
      deps: deciding.deps,
      letGo: (ids: readonly string[], token: string) =>
        letGoSubmissions(
          redis,
          deciding.keys,
          token,
          ids.map((id) => ({ id, spendsRetry: false })),
        ),
    };
  }

  async function decide(ids: readonly string[]): Promise<void> {
    // The next suspect tries again what failed.
    opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    const { deps, letGo } = await opened;
    const token = randomUUID();
    try {
      const outcomes = await decideSubmissions(deps, ids, { token, mayAsk: true, signal: stopping.signal });
      const waiting = outcomes.filter(({ status }) => status === "wait").map(({ id }) => id);
      // A lookup that must wait goes back to its lane: the reconciler rings for it there.
      if (waiting.length > 0) await letGo(waiting, token);
    } catch (error) {
      // A script that failed is no death of the submission's: the try is given back.
      await letGo(ids, token).catch(() => undefined);
      throw error;
    }
  }

  return (ids: readonly string[]): Promise<void> => {
    const work = decide(ids);
    atWork = work;
    return work;
  };
}
