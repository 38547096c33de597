import { ConfigError, type EnvReader, readEnv, readRedisEnv } from "@assay/host";
import { type InstallationMeta, readInstallation, SchemaMismatchError } from "@assay/ledger";
import type { Redis } from "ioredis";
import { CommandError, EXIT, type World } from "./report.ts";

/** What the environment says, as `read` reads it. Throws a CommandError that names every fault. */
export function readSettings<Settings>(env: World["env"], read: (reader: EnvReader) => Settings): Settings {
  try {
    return readEnv(env, read);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CommandError(EXIT.usage, error.message, { cause: error });
  }
}

/** Which installation's Redis the environment names. */
export function readPlace(env: World["env"]) {
  return readSettings(env, readRedisEnv);
}

/** What an installation says of itself. Throws a CommandError where there is none, or one of another version. */
export async function installationOf(redis: Redis, prefix: string): Promise<InstallationMeta> {
  try {
    const installation = await readInstallation(redis, prefix);
    if (installation !== undefined) return installation;
  } catch (error) {
    if (!(error instanceof SchemaMismatchError)) throw error;
    throw new CommandError(EXIT.unavailable, error.message, { cause: error });
  }
  const todo = "Set REDIS_URL and ASSAY_PREFIX as its workers have them, or start a worker first.";
  throw new CommandError(EXIT.unavailable, `There is no Assay under the prefix ${prefix} in this Redis. ${todo}`);
}
