import { isPassing } from "@assay/ledger";
import { createKeys, isTenantName, type Keys, ProblemError, TENANT_NAME_RULE } from "@assay/protocol";
import type { Redis } from "ioredis";
import { installationOf, readPlace } from "../installation.ts";
import { reachRedis } from "../reach-redis.ts";
import { CommandError, EXIT, type World } from "../report.ts";

/** Where the dead letters of a tenant are. */
export interface LetterPlace {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly prefix: string;
}

export interface TenantOptions {
  readonly tenant: string;
}

/**
 * Runs an act where the environment says that a tenant's dead letters are. Throws a CommandError for an environment that
 * is wrong, for a Redis that cannot be reached or fails, and where there is no installation of this version.
 */
export async function atLetters<Result>(
  { tenant }: TenantOptions,
  { env }: World,
  act: (place: LetterPlace) => Promise<Result>,
): Promise<Result> {
  if (!isTenantName(tenant)) throw new CommandError(EXIT.usage, `--tenant must be ${TENANT_NAME_RULE}.`);
  const { redisUrl, prefix } = readPlace(env);
  const reached = await reachRedis(redisUrl);
  if (reached.redis === undefined) throw new CommandError(EXIT.unavailable, `${reached.why}: ${reached.todo}.`);
  const { redis } = reached;
  try {
    await installationOf(redis, prefix);
    return await act({ redis, prefix, keys: createKeys({ prefix, tenant }) });
  } catch (error) {
    const trouble = error instanceof ProblemError ? error.cause : error;
    if (!(trouble instanceof Error) || !isPassing(trouble)) throw error;
    const says = `Redis failed, and what was not done is as it was: ${trouble.message} Run it again: nothing is done twice.`;
    throw new CommandError(EXIT.unavailable, says, { cause: error });
  } finally {
    await reached.close();
  }
}
