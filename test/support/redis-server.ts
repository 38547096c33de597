import { Redis } from "ioredis";
import type { ProvidedContext } from "vitest";
import type { TestProject } from "vitest/node";
import { eventually } from "./eventually.ts";
import type { PrivateRedis } from "./private-redis.ts";
import { findRedisBinary, startRedisProcess } from "./redis-process.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The Redis of this run. Give each test a prefix of its own. */
    redisUrl: string;
  }
}

export interface RedisOptions {
  /** Redis settings over the defaults, such as `{ appendfsync: "everysec" }`. */
  readonly config?: Readonly<Record<string, string>>;
}

/** What Assay asks of a production Redis, and no more memory than a test may take. */
const DEFAULTS = {
  appendonly: "yes",
  appendfsync: "always",
  // Rewriting the file in the midst of a run can hold all writes up for longer than a command may take.
  "auto-aof-rewrite-percentage": "0",
  save: "",
  maxmemory: "512mb",
  "maxmemory-policy": "noeviction",
};

/** Starts a private Redis: a binary from the PATH, else Docker. Resolves when it answers. */
export async function startRedis({ config = {} }: RedisOptions = {}): Promise<PrivateRedis> {
  const args = Object.entries({ ...DEFAULTS, ...config }).flatMap(([name, value]) => [`--${name}`, value]);
  const binary = findRedisBinary();
  if (binary !== undefined) return startRedisProcess(binary, args, untilReady);
  // Loaded here, because Docker's client is large and seldom needed.
  const { startRedisContainer } = await import("./redis-container.ts");
  return startRedisContainer(args, untilReady);
}

const PROVIDED = "redisUrl" satisfies keyof ProvidedContext;

/** What would take the keys or the memory of the files beside: whoever needs it starts a Redis of its own. */
const FOR_NOBODY = ["-flushdb", "-flushall", "-config|set"];

/** One Redis per run: the one of `ASSAY_TEST_REDIS_URL`, which must be empty, else a private one. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env["ASSAY_TEST_REDIS_URL"];
  if (given !== undefined && given !== "") {
    await refuseUnlessEmpty(given);
    project.provide(PROVIDED, given);
    return () => Promise.resolve();
  }
  const redis = await startRedis();
  await withConnection(redis.url, (admin) => admin.acl("SETUSER", "default", ...FOR_NOBODY));
  project.provide(PROVIDED, redis.url);
  return () => redis.stop();
}

async function refuseUnlessEmpty(url: string): Promise<void> {
  const size = await withConnection(url, (redis) => redis.dbsize());
  if (size === 0) return;
  throw new Error(`ASSAY_TEST_REDIS_URL names a database with ${size} keys. Name an empty one, or unset the variable.`);
}

async function untilReady(url: string, gaveUp: AbortSignal): Promise<void> {
  await eventually(async () => gaveUp.aborted || (await withConnection(url, (redis) => redis.ping())) === "PONG", {
    timeoutMs: 30_000,
  });
}

async function withConnection<Answer>(url: string, ask: (redis: Redis) => Promise<Answer>): Promise<Answer> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, commandTimeout: 2_000 });
  // The connection's failure also rejects the command, which is where it is judged.
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    return await ask(redis);
  } finally {
    redis.disconnect();
  }
}
