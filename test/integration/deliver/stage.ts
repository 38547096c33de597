import { randomBytes } from "node:crypto";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "@assay/host";
import { connectForCommands, disconnect, whenReady } from "@assay/ledger";
import { createKeys, envelopeOf, type Keys, type Verdict } from "@assay/protocol";
import { loadConfig, type RunningWorker, type RunOptions, runWorker } from "@assay/worker";
import type { Redis } from "ioredis";
import { inject, onTestFinished } from "vitest";
import { startApp, type AppProcess } from "../../support/app-process.ts";
import { eventually } from "../../support/eventually.ts";
import { aToken } from "../../support/events.ts";
import { openWebhookReceiver, type WebhookReceiver } from "../../support/webhook-receiver.ts";

/** A Redis prefix with a receiver and a file of endpoints. Ends with its test. */
export interface DeliverStage {
  readonly prefix: string;
  readonly keys: Keys;
  readonly redis: Redis;
  readonly receiver: WebhookReceiver;
  readonly env: Readonly<Record<string, string>>;
  /** Log lines of the workers inside this process. */
  readonly log: readonly string[];
  /** Writes the file of endpoints as Kubernetes does: all at once. */
  endpoints(entries: readonly object[]): Promise<void>;
  /** A delivering worker inside this process; resolves when verdicts that come now are delivered. */
  run(options?: { env?: Record<string, string>; deliveries?: RunOptions["deliveries"] }): Promise<RunningWorker>;
  /** The same in a process of its own. */
  start(env?: Record<string, string>): Promise<AppProcess>;
  /** Puts verdicts into the stream, and returns their ids. */
  publish(...verdicts: readonly Partial<Verdict>[]): Promise<string[]>;
  /** Every metric of a worker, as text. */
  metrics(worker: { adminPort: number }): Promise<string>;
}

export const aSecret = () => `whsec_${randomBytes(32).toString("base64")}`;

/** An entry of the file of endpoints, at a path of the receiver. */
export function anEntry(receiver: WebhookReceiver, name: string, over: object = {}): object {
  return { name, url: receiver.url(`/${name}`), secrets: [aSecret()], allow_private: true, ...over };
}

export function aVerdict(over: Partial<Verdict> = {}): Verdict {
  return {
    schema: "assay.verdict/1",
    id: `s_${aToken(26).toLowerCase()}`,
    kind: "lookup",
    action: "block",
    score: 40,
    reasons: [{ rule: "bad_bot", action: "block", message: "A bot", evidence: { bot: "bad" } }],
    shadow: [],
    unknown: [],
    checks: { stale: false },
    coverage: { rules: 1, judged: 1 },
    ruleset: { name: "checkout", digest: "d", engine: "e" },
    received_at: 1_760_000_000_000,
    decided_at: 1_760_000_000_100,
    visitor_id: "visitor1",
    context: { flow: "login", user_id: "anna", reference: "order1" },
    ...over,
  };
}

export async function openDeliverStage(): Promise<DeliverStage> {
  const redisUrl = inject("redisUrl");
  const prefix = `t${aToken(10).toLowerCase()}`;
  const keys = createKeys({ prefix });
  const folder = await mkdtemp(join(tmpdir(), "assay-endpoints-"));
  const file = join(folder, "endpoints.yaml");
  const redis = connectForCommands({ url: redisUrl });
  redis.on("error", () => undefined);
  await whenReady(redis);
  const receiver = await openWebhookReceiver();
  const log: string[] = [];
  const stops: (() => Promise<unknown>)[] = [
    () => rm(folder, { recursive: true }),
    () => disconnect(redis),
    () => receiver.stop(),
  ];
  onTestFinished(async () => {
    for (const stop of stops.toReversed()) await stop();
  });
  const env = {
    REDIS_URL: redisUrl,
    ASSAY_PREFIX: prefix,
    ASSAY_ADMIN_PORT: "0",
    ASSAY_ENDPOINTS_FILE: file,
    ASSAY_WORKER_ROLES: "deliver",
  };
  const joined = () => eventually(async () => Array.isArray(await redis.xinfo("GROUPS", keys.verdicts())));
  return {
    prefix,
    keys,
    redis,
    receiver,
    env,
    log,
    async endpoints(entries) {
      await writeFile(`${file}.new`, JSON.stringify({ endpoints: entries }));
      await rename(`${file}.new`, file);
    },
    async run({ env: more, deliveries } = {}) {
      const worker = await runWorker({
        config: loadConfig({ ...env, ...more }),
        logger: createLogger({ name: "worker", level: "debug", destination: { write: (line) => log.push(line) } }),
        suspectFile: new URL("../../../apps/worker/src/suspect.ts", import.meta.url),
        ...(deliveries === undefined ? {} : { deliveries }),
      });
      stops.push(() => worker.stop());
      await joined();
      return worker;
    },
    async start(more = {}) {
      const app = startApp("apps/worker/src/main.ts", { ...env, ...more });
      stops.push(() => app.stop());
      await app.line(({ msg }) => msg === "delivering");
      await joined();
      return app;
    },
    async publish(...verdicts) {
      const all = verdicts.map((over) => aVerdict(over));
      const pipeline = redis.pipeline();
      for (const verdict of all) pipeline.xadd(keys.verdicts(), "*", "e", JSON.stringify(envelopeOf(verdict)));
      await pipeline.exec();
      return all.map(({ id }) => id);
    },
    async metrics({ adminPort }) {
      return await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
    },
  };
}
