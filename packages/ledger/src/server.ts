import type { Redis } from "ioredis";

/** What a 202 promises: memory survives a crash of Assay, local also a power cut of Redis's machine. */
export const DURABILITIES = ["memory", "local"] as const;

export type Durability = (typeof DURABILITIES)[number];

/** What a managed server hides from CONFIG GET and the operator vouches for (`ASSAY_REDIS_ASSERT`). */
export const SERVER_ASSERTIONS = ["noeviction", "appendfsync_always"] as const;

export type ServerAssertion = (typeof SERVER_ASSERTIONS)[number];

/** What is wrong with a Redis server, as sentences that say what to change. */
export interface ServerReport {
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Compares the server with the durability asked for. Refused are any policy but `noeviction` (it would drop accepted
 * work), an append-only file that is weaker than promised, and Redis before 7.0.
 */
export async function checkServer(
  redis: Redis,
  options: { durability: Durability; assertions: readonly ServerAssertion[] },
): Promise<ServerReport> {
  const version = /redis_version:(\d+)\.(\d+)/.exec(await redis.info("server"));
  const config = await readConfig(redis);
  const vouched = (assertion: ServerAssertion) => options.assertions.includes(assertion);
  const faults = [
    Number(version?.[1] ?? 0) < 7 ? "Redis is older than 7.0: use Redis 7.0 or newer, or Valkey." : undefined,
    policyFault(config, vouched("noeviction")),
    options.durability === "local" ? syncFault(config, vouched("appendfsync_always")) : undefined,
  ];
  const warnings =
    config.get("maxmemory") === "0"
      ? [
          "Redis has no maxmemory: it can grow until its machine kills it. Set maxmemory, or ASSAY_REDIS_MAX_BYTES for Assay to refuse work in time.",
        ]
      : [];
  return { faults: faults.filter((fault) => fault !== undefined), warnings };
}

type Config = ReadonlyMap<string, string>;

function policyFault(config: Config, isVouched: boolean): string | undefined {
  const policy = config.get("maxmemory-policy");
  if (policy === "noeviction" || (policy === undefined && isVouched)) return undefined;
  return policy === undefined
    ? "Redis does not show its maxmemory-policy: make sure it is noeviction, and set ASSAY_REDIS_ASSERT=noeviction."
    : `Redis evicts keys (maxmemory-policy ${policy}) and would lose accepted work: run CONFIG SET maxmemory-policy noeviction and put it into redis.conf.`;
}

function syncFault(config: Config, isVouched: boolean): string | undefined {
  const [appendonly, appendfsync] = [config.get("appendonly"), config.get("appendfsync")];
  if (appendonly === undefined || appendfsync === undefined) {
    return isVouched
      ? undefined
      : "Redis does not show appendonly and appendfsync: make sure every write is synced, and set ASSAY_REDIS_ASSERT=appendfsync_always; or set ASSAY_DURABILITY=memory.";
  }
  if (appendonly !== "yes" || appendfsync !== "always") {
    return `ASSAY_DURABILITY=local needs every write on disk, but Redis has appendonly ${appendonly} and appendfsync ${appendfsync}: run CONFIG SET appendonly yes and CONFIG SET appendfsync always and put both into redis.conf; or set ASSAY_DURABILITY=memory.`;
  }
  return config.get("no-appendfsync-on-rewrite") === "yes"
    ? "ASSAY_DURABILITY=local needs every write on disk, but Redis syncs none while it rewrites its file (no-appendfsync-on-rewrite yes): run CONFIG SET no-appendfsync-on-rewrite no and put it into redis.conf; or set ASSAY_DURABILITY=memory."
    : undefined;
}

async function readConfig(redis: Redis): Promise<Config> {
  const config = new Map<string, string>();
  for (const name of ["maxmemory-policy", "maxmemory", "appendonly", "appendfsync", "no-appendfsync-on-rewrite"]) {
    try {
      const reply: unknown = await redis.call("CONFIG", ["GET", name]);
      const [, value] = Array.isArray(reply) ? reply : [];
      if (typeof value === "string") config.set(name, value);
    } catch (error) {
      // A managed server bars CONFIG; what it hides stays unknown. Anything else is a fault of the connection.
      if (!(error instanceof Error) || !/unknown command|NOPERM|not allowed|disabled/i.test(error.message)) throw error;
    }
  }
  return config;
}

/** Used bytes over the bound: the server's maxmemory, or `maxBytes` when it has none. Undefined when there is no bound. */
export async function readMemoryRatio(redis: Redis, maxBytes?: number): Promise<number | undefined> {
  const info = await redis.info("memory");
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
  const bound = field("maxmemory") > 0 ? field("maxmemory") : (maxBytes ?? 0);
  return bound > 0 ? field("used_memory") / bound : undefined;
}
