import { ConfigError, readEnv } from "@assay/host/env";
import { CommandError, EXIT, type World } from "./report.ts";

/** Where the archive is, by `DATABASE_URL`; undefined where that names no Postgres. Throws a CommandError for a file that cannot be read. */
export function readDatabaseUrl(env: World["env"]): string | undefined {
  try {
    const url = readEnv(env, (reader) => reader.secret("DATABASE_URL"));
    return url !== undefined && /^postgres(?:ql)?:\/\//.test(url) && URL.canParse(url) ? url : undefined;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CommandError(EXIT.usage, error.message, { cause: error });
  }
}
