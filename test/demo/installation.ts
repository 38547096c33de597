import { randomBytes } from "node:crypto";
import { migrateArchive } from "@assay/archive/migrate";
import { parseSealedKeys, type SealedKey } from "@assay/fingerprint";
import { type AppProcess, startApp } from "../support/app-process.ts";
import { aToken } from "../support/events.ts";
import { startFingerprintApi } from "../support/fingerprint-api.ts";
import { startPGlite } from "../support/pglite-server.ts";
import { freePort } from "../support/private-redis.ts";
import { startRedis } from "../support/redis-server.ts";
import type { Doors } from "./play.ts";

/** A whole installation on loopback, as built, with secrets made up for it. */
export interface Installation {
  readonly doors: Doors;
  readonly redisUrl: string;
  readonly databaseUrl: string;
  readonly sealedKey: SealedKey;
  readonly adminPort: number;
  /** Process ids of the workers that run now. */
  workerPids(): number[];
  stop(): Promise<void>;
}

const WORKERS = 2;

/**
 * Starts a private Redis, a Postgres inside this process, a stand-in for the vendor's API, an ingress and two workers. A
 * worker that dies comes again.
 */
export async function startInstallation(options: { workerDied(pid: number): void }): Promise<Installation> {
  const stops: (() => Promise<void>)[] = [];
  const redis = await startRedis();
  stops.push(() => redis.stop());
  const postgres = await startPGlite();
  stops.push(() => postgres.stop());
  await migrateArchive({ connectionString: postgres.url });
  const api = await startFingerprintApi();
  stops.push(() => api.stop());

  const keyText = randomBytes(32).toString("base64");
  const [sealedKey] = parseSealedKeys(keyText);
  if (sealedKey === undefined) throw new Error("A fresh key must be usable.");
  const [port, adminPort] = [await freePort(), await freePort()];
  const key = aToken(24);
  const webhookSecret = aToken(24);

  const ingress = startApp("apps/ingress/dist/main.js", {
    REDIS_URL: redis.url,
    DATABASE_URL: postgres.url,
    PORT: String(port),
    ASSAY_ADMIN_PORT: String(adminPort),
    ASSAY_INGRESS_KEYS: `shop:${key}`,
    ASSAY_WEBHOOK_SECRETS: webhookSecret,
  });
  stops.push(() => ingress.stop());

  const workers = new Set<AppProcess>();
  let stopping = false;
  async function startWorker(): Promise<void> {
    const worker = startApp("apps/worker/dist/main.js", {
      REDIS_URL: redis.url,
      DATABASE_URL: postgres.url,
      ASSAY_ADMIN_PORT: "0",
      ASSAY_SEALED_KEYS: keyText,
      ASSAY_FINGERPRINT_API_KEYS: aToken(20),
      ASSAY_FINGERPRINT_API_URL: api.url,
    });
    workers.add(worker);
    void worker.exited.then(() => replace(worker));
    await worker.line(({ msg }) => msg === "deciding");
  }
  async function replace(worker: AppProcess): Promise<void> {
    workers.delete(worker);
    if (stopping) return;
    options.workerDied(worker.pid);
    await startWorker();
  }
  stops.push(async () => {
    stopping = true;
    await Promise.all([...workers].map((worker) => worker.stop()));
  });

  const url = `http://127.0.0.1:${port}`;
  const started = [ingress.line(({ msg }) => msg === "serving"), ...Array.from({ length: WORKERS }, startWorker)];
  try {
    await Promise.all(started);
  } catch (error) {
    await stopAll(stops);
    throw error;
  }
  return {
    doors: { url, key, webhookSecret, api },
    redisUrl: redis.url,
    databaseUrl: postgres.url,
    sealedKey,
    adminPort,
    workerPids: () => [...workers].map(({ pid }) => pid),
    stop: () => stopAll(stops),
  };
}

async function stopAll(stops: (() => Promise<void>)[]): Promise<void> {
  for (const stop of stops.splice(0).toReversed()) await stop();
}
