import { ConfigError, readEnv } from "@assay/host/env";
import { CommandError, EXIT, type World } from "./report.ts";

/** Where the archive is, by `DATABASE_URL` or the file that `DATABASE_URL_FILE` names. Throws a CommandError where that names no Postgres. */
export function readDatabaseUrl(env: World["env"]): string {
  const url = findDatabaseUrl(env);
  if (url !== undefined) return url;
  throw new CommandError(
    EXIT.usage,
    "Set DATABASE_URL to the archive's Postgres, for example postgres://assay:password@localhost:5432/assay.",
  );
}

/** The same; undefined where it names no Postgres. Throws a CommandError for a file that cannot be read. */
export function findDatabaseUrl(env: World["env"]): string | undefined {
  try {
    const url = readEnv(env, (reader) => reader.secret("DATABASE_URL"));
    return url !== undefined && /^postgres(?:ql)?:\/\//.test(url) && URL.canParse(url) ? url : undefined;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CommandError(EXIT.usage, error.message, { cause: error });
  }
}
