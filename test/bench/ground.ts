import type { Durability } from "@assay/ledger";
import { Redis } from "ioredis";
import { eventually } from "../support/eventually.ts";
import { startRedis } from "../support/redis-server.ts";

/** What contenders stand on: one Redis and one sealed key. */
export interface Ground {
  readonly redisUrl: string;
  readonly redisVersion: string;
  /** Base64. */
  readonly sealedKey: string;
  /** The most that this Redis can promise. */
  readonly durability: Durability;
  /** Shortens the append-only file to what Redis still holds. */
  compact(): Promise<void>;
  /** Has something done when the ground is closed; the last comes first. */
  closing(stop: () => Promise<unknown>): void;
  /** Ends every process that was started on it. Safe to call twice. */
  close(): Promise<void>;
}

/** Starts a private Redis that fsyncs as told. */
export async function openGround(appendfsync: "always" | "everysec", sealedKey: string): Promise<Ground> {
  // Left to itself, Redis would rewrite its file while somebody is measured.
  const server = await startRedis({
    config: { appendfsync, "auto-aof-rewrite-percentage": "0", maxmemory: "1gb" },
  });
  const redis = new Redis(server.url);
  const stops: (() => Promise<unknown>)[] = [() => server.stop(), async () => redis.disconnect()];
  const info = async (name: string) => new RegExp(`^${name}:(.*)\r`, "m").exec(await redis.info())?.[1] ?? "";
  return {
    redisUrl: server.url,
    redisVersion: await info("redis_version"),
    sealedKey,
    durability: appendfsync === "always" ? "local" : "memory",
    async compact() {
      await redis.bgrewriteaof();
      await eventually(async () => (await info("aof_rewrite_in_progress")) === "0", { timeoutMs: 30_000 });
    },
    closing: (stop) => void stops.push(stop),
    async close() {
      for (const stop of stops.splice(0).toReversed()) await stop().catch((error: unknown) => console.error(error));
    },
  };
}
