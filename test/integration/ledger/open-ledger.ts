import { randomUUID } from "node:crypto";
import { connectForCommands, disconnect, whenReady } from "@assay/ledger";
import { createKeys, type Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { inject, onTestFinished } from "vitest";

/** A ledger of one test, under a prefix of its own. */
export interface Ledger {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly prefix: string;
}

/** Connects to a Redis (that of the run when none is named); disconnects when the test ends. */
export async function openLedger(url: string = inject("redisUrl")): Promise<Ledger> {
  const prefix = `test-${randomUUID()}`;
  return { redis: await openConnection(url), keys: createKeys({ prefix }), prefix };
}

/** One more connection; disconnects when the test ends. */
export async function openConnection(url: string = inject("redisUrl")): Promise<Redis> {
  const redis = connectForCommands({ url });
  redis.on("error", () => undefined);
  onTestFinished(() => disconnect(redis));
  await whenReady(redis);
  return redis;
}

/** Redis's own time, unix ms. */
export async function timeOf(redis: Redis): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) * 1000 + Number(microseconds) / 1000;
}

/** Every key of the ledger as Redis dumps it: equal snapshots, equal data. */
export async function snapshot({ redis, prefix }: Ledger): Promise<Record<string, string>> {
  const names = (await redis.keys(`${prefix}:*`)).toSorted();
  const dumps = await Promise.all(names.map((name) => redis.dumpBuffer(name)));
  return Object.fromEntries(names.map((name, index) => [name, dumps[index]?.toString("hex") ?? ""]));
}
