import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createAssayClient } from "@assay/client";
import { parseSealedKeys, seal } from "@assay/fingerprint";
import { connectForCommands, disconnect, whenReady } from "@assay/ledger";
import { createKeys, type Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { inject, onTestFinished } from "vitest";
import { type AppProcess, startApp } from "../../support/app-process.ts";
import { anEvent, aToken } from "../../support/events.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { freePort } from "../../support/private-redis.ts";
import { openWebhookReceiver, type WebhookReceiver } from "../../support/webhook-receiver.ts";
import { type Archive, openArchive } from "../archive/open-archive.ts";

/** Those who may die: each is one process. */
export const PARTS = ["score", "subscriber", "deliver", "archive"] as const;

type Part = (typeof PARTS)[number];

/** A whole installation of processes, with one of each part. Ends with its test. */
export interface Stage {
  readonly keys: Keys;
  readonly redis: Redis;
  readonly archive: Archive;
  readonly receiver: WebhookReceiver;
  /** Hands events in, sealed and as they come; resolves with the ids that were accepted. */
  submit(count: number): Promise<string[]>;
  /** Kills a part as the kernel does, and starts another in its place. */
  replace(part: Part): Promise<void>;
  /** What every subscriber wrote down, line by line. */
  subscribed(): string[];
}

/** Endpoints of the installation: one gets all of a verdict, one what is usual. */
export const ENDPOINTS = { all: "full", usual: "reasons" } as const;

export async function openStage(postgres: PrivatePostgres): Promise<Stage> {
  const redisUrl = inject("redisUrl");
  const archive = await openArchive(postgres);
  const prefix = `t${aToken(10).toLowerCase()}`;
  const keys = createKeys({ prefix });
  const sealedKeys = randomBytes(32).toString("base64");
  const [sealedKey] = parseSealedKeys(sealedKeys);
  if (sealedKey === undefined) throw new Error("A fresh key must be usable.");
  const redis = connectForCommands({ url: redisUrl });
  redis.on("error", () => undefined);
  await whenReady(redis);
  const receiver = await openWebhookReceiver();
  const folder = await mkdtemp(join(tmpdir(), "assay-everyone-"));
  const file = join(folder, "endpoints.yaml");
  const endpoints = Object.entries(ENDPOINTS).map(([name, fields]) => ({
    name,
    fields,
    url: receiver.url(`/${name}`),
    secrets: [`whsec_${randomBytes(32).toString("base64")}`],
    allow_private: true,
  }));
  await writeFile(file, JSON.stringify({ endpoints }));
  const port = await freePort();
  const common = { REDIS_URL: redisUrl, ASSAY_PREFIX: prefix, ASSAY_ADMIN_PORT: "0" };
  const worker = {
    ...common,
    DATABASE_URL: archive.url,
    ASSAY_SEALED_KEYS: sealedKeys,
    ASSAY_ENDPOINTS_FILE: file,
  };
  const ingress = startApp("apps/ingress/src/main.ts", {
    ...common,
    PORT: String(port),
    ASSAY_INGRESS_KEYS: "shop:secret",
  });
  const running = new Map<Part, AppProcess>();
  const subscribers: AppProcess[] = [];
  const client = createAssayClient({ url: `http://127.0.0.1:${port}`, key: "secret" });
  onTestFinished(async () => {
    await client.close();
    await Promise.all([ingress.stop(), ...[...running.values()].map((part) => part.stop())]);
    await receiver.stop();
    await disconnect(redis);
    await rm(folder, { recursive: true });
  });

  async function start(part: Part): Promise<void> {
    if (part === "subscriber") {
      const subscriber = startApp(fileURLToPath(new URL("./subscriber.ts", import.meta.url)), {}, [redisUrl, prefix]);
      subscribers.push(subscriber);
      running.set(part, subscriber);
      return;
    }
    const app = startApp("apps/worker/src/main.ts", { ...worker, ASSAY_WORKER_ROLES: part });
    running.set(part, app);
    const says = { score: "deciding", deliver: "delivering", archive: "archiving" }[part];
    await app.line(({ msg }) => msg === says);
  }

  await Promise.all([ingress.line(({ msg }) => msg === "serving"), ...PARTS.map((part) => start(part))]);
  return {
    keys,
    redis,
    archive,
    receiver,
    async submit(count) {
      const submitted = Array.from({ length: count }, async () => {
        const sealed = Buffer.from(seal(anEvent(), sealedKey)).toString("base64");
        return await client.submit({ sealed_result: sealed, context: { flow: "login" } }, { timeoutMs: 30_000 });
      });
      return (await Promise.all(submitted)).map(({ id }) => id);
    },
    async replace(part) {
      await running.get(part)?.kill("SIGKILL");
      await start(part);
    },
    subscribed: () => subscribers.flatMap(({ output }) => output.filter((line) => line.startsWith("{"))),
  };
}
