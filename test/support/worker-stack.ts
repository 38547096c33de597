import { randomBytes } from "node:crypto";
import { createProducer, type Producer } from "@assay/client/producer";
import { parseSealedKeys, seal, type SealedKey } from "@assay/fingerprint";
import { createLogger } from "@assay/host";
import { connectForCommands, disconnect, tellAbility, whenReady } from "@assay/ledger";
import {
  type Context,
  createKeys,
  DEFAULT_TENANT,
  type Event,
  type Keys,
  type Submission,
  submissionId,
  type Verdict,
  webhookId,
} from "@assay/protocol";
import { loadConfig, type RunningWorker, type RunOptions, runWorker, type Source } from "@assay/worker";
import type { Redis } from "ioredis";
import { inject } from "vitest";
import { startApp, type AppProcess } from "./app-process.ts";
import { eventually } from "./eventually.ts";
import { aToken } from "./events.ts";

/** A producer, keys and workers of one tenant, on a Redis prefix of their own. Workers are started by the test. */
export interface WorkerStack {
  readonly prefix: string;
  readonly keys: Keys;
  readonly redis: Redis;
  readonly producer: Producer;
  readonly sealedKey: SealedKey;
  /** What a worker process needs. */
  readonly env: Readonly<Record<string, string>>;
  /** A worker inside this process. */
  runWorker(options?: {
    env?: Record<string, string>;
    aroundSource?: (source: Source) => Source;
    lookupTiming?: RunOptions["lookupTiming"];
    archiveTiming?: RunOptions["archiveTiming"];
  }): Promise<RunningWorker>;
  /** A worker in a process of its own; resolves when it fetches. */
  startWorker(options?: { env?: Record<string, string>; file?: string }): Promise<AppProcess>;
  /** Hands in a sealed event; returns the submission's id. */
  submitSealed(
    event: Event | Uint8Array,
    options?: { context?: Context; key?: string; receivedAt?: number; eventId?: string },
  ): Promise<string>;
  submitWebhook(event: Event): Promise<string>;
  submitLookup(
    eventId: string,
    options?: { context?: Context; key?: string; receivedAt?: number; awaited?: boolean },
  ): Promise<string>;
  /** Waits for a verdict. */
  verdict(id: string, options?: { timeoutMs?: number }): Promise<Verdict>;
  /** Every verdict in the stream, in order. */
  published(): Promise<Verdict[]>;
  stop(): Promise<void>;
}

/** Opens a stack on the run's Redis, or on another; for the default tenant on a prefix of its own, unless it is told. */
export async function openWorkerStack(
  options: { redisUrl?: string; env?: Record<string, string>; prefix?: string; tenant?: string } = {},
): Promise<WorkerStack> {
  const redisUrl = options.redisUrl ?? inject("redisUrl");
  const { prefix = `t${aToken(10).toLowerCase()}`, tenant = DEFAULT_TENANT } = options;
  const keyText = randomBytes(32).toString("base64");
  const [sealedKey] = parseSealedKeys(keyText);
  if (sealedKey === undefined) throw new Error("A fresh key must be usable.");
  const env = {
    REDIS_URL: redisUrl,
    ASSAY_PREFIX: prefix,
    ASSAY_SEALED_KEYS: keyText,
    ASSAY_ADMIN_PORT: "0",
    ...options.env,
  };
  const redis = connectForCommands({ url: redisUrl });
  redis.on("error", () => undefined);
  await whenReady(redis);
  // `submitWebhook` stands for an ingress that takes webhooks.
  await tellAbility(redis, prefix, tenant, "webhooks", true);
  const producer = await createProducer({ redis, prefix, tenant });
  const keys = createKeys({ prefix, tenant });
  const stops: (() => Promise<void>)[] = [() => disconnect(redis), () => producer.stop()];

  async function submit(id: string, submission: Submission, receivedAt?: number, awaited = false): Promise<string> {
    await producer.submit({ id, submission, ...(receivedAt === undefined ? {} : { receivedAt }) }, { awaited });
    return id;
  }
  const idOf = (key: string | undefined) => submissionId(tenant, "default", key ?? aToken(20));

  return {
    prefix,
    keys,
    redis,
    producer,
    sealedKey,
    env,
    async runWorker({ env: more, aroundSource, lookupTiming, archiveTiming } = {}) {
      const worker = await runWorker({
        config: loadConfig({ ...env, ...more }),
        logger: createLogger({ name: "worker", level: "silent" }),
        suspectFile: new URL("../../apps/worker/src/suspect.ts", import.meta.url),
        ...(aroundSource === undefined ? {} : { aroundSource }),
        ...(lookupTiming === undefined ? {} : { lookupTiming }),
        ...(archiveTiming === undefined ? {} : { archiveTiming }),
      });
      stops.push(() => worker.stop());
      return worker;
    },
    async startWorker({ env: more, file = "apps/worker/src/main.ts" } = {}) {
      const app = startApp(file, { ...env, ...more });
      stops.push(() => app.stop());
      await app.line(({ msg }) => msg === "deciding");
      return app;
    },
    submitSealed(event, { context, key, receivedAt, eventId } = {}) {
      const payload = event instanceof Uint8Array ? event : seal(event, sealedKey);
      const submission: Submission = {
        kind: "sealed",
        payload,
        ...(context === undefined ? {} : { context }),
        ...(eventId === undefined ? {} : { event_id: eventId }),
      };
      return submit(idOf(key), submission, receivedAt);
    },
    submitWebhook: (event) =>
      submit(webhookId(tenant, event.event_id), {
        kind: "webhook",
        event_id: event.event_id,
        payload: Buffer.from(JSON.stringify(event)),
      }),
    submitLookup(eventId, { context, key, receivedAt, awaited } = {}) {
      const submission: Submission = {
        kind: "lookup",
        event_id: eventId,
        ...(context === undefined ? {} : { context }),
      };
      return submit(idOf(key), submission, receivedAt, awaited);
    },
    verdict: (id, { timeoutMs = 20_000 } = {}) =>
      eventually(
        async () => {
          const json = await redis.get(keys.verdict(id));
          if (json === null) throw new Error(`No verdict on ${id} yet`);
          const verdict: Verdict = JSON.parse(json);
          return verdict;
        },
        { timeoutMs },
      ),
    published: () => readStream(redis, keys.verdicts()),
    async stop() {
      for (const stop of stops.toReversed()) await stop();
    },
  };
}

/** Every verdict in a stream of envelopes. */
async function readStream(redis: Redis, stream: string): Promise<Verdict[]> {
  const entries = await redis.xrange(stream, "-", "+");
  return entries.map(([, fields]) => {
    const envelope: { data: Verdict } = JSON.parse(fields[1] ?? "");
    return envelope.data;
  });
}
