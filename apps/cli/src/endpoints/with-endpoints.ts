import { type EndpointReport, isPassing, readEndpoints } from "@assay/ledger";
import { createKeys, DEFAULT_TENANT, type Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { readPlace } from "../installation.ts";
import { reachRedis } from "../reach-redis.ts";
import { CommandError, EXIT, type World } from "../report.ts";

export interface EndpointsOptions {
  readonly tenant?: string;
}

/** A tenant's endpoints, and the Redis that holds what is on its way to them. */
export interface Endpoints {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly all: readonly EndpointReport[];
}

/** Connects by `REDIS_URL` and `ASSAY_PREFIX`, and closes again. Throws a CommandError when Redis cannot be used. */
export async function withEndpoints<Result>(
  { tenant = DEFAULT_TENANT }: EndpointsOptions,
  { env }: World,
  act: (endpoints: Endpoints) => Promise<Result>,
): Promise<Result> {
  const { redisUrl, prefix } = readPlace(env);
  const reached = await reachRedis(redisUrl);
  if (reached.redis === undefined) throw new CommandError(EXIT.unavailable, `${reached.why}: ${reached.todo}.`);
  const { redis } = reached;
  const keys = createKeys({ prefix, tenant });
  try {
    return await act({ redis, keys, all: await readEndpoints(redis, keys) });
  } catch (error) {
    if (!(error instanceof Error) || !isPassing(error)) throw error;
    throw new CommandError(EXIT.unavailable, "Redis did not answer. Repeat the command.", { cause: error });
  } finally {
    await reached.close();
  }
}

/** One endpoint by its name. Throws a CommandError when there is none. */
export function named({ all, keys }: Endpoints, name: string): EndpointReport {
  const endpoint = all.find((one) => one.name === name);
  if (endpoint !== undefined) return endpoint;
  const known = all.map((one) => one.name).join(", ");
  const among = known === "" ? "Those that deliver have told of none." : `There are: ${known}.`;
  throw new CommandError(EXIT.unavailable, `The tenant ${keys.tenant} has no endpoint ${name}. ${among}`);
}
