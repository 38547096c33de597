import { readDatabaseUrl as readUrl } from "@assay/host/database-env";
import { ConfigError, readEnv } from "@assay/host/env";
import { CommandError, EXIT, type World } from "./report.ts";

/** Where the archive is, by `DATABASE_URL` or the file that `DATABASE_URL_FILE` names. Throws a CommandError without a Postgres. */
export function readDatabaseUrl(env: World["env"]): string {
  const url = findDatabaseUrl(env);
  if (url !== undefined) return url;
  throw new CommandError(
    EXIT.usage,
    "Set DATABASE_URL to the archive's Postgres, for example postgres://assay:password@localhost:5432/assay.",
  );
}

/** The same; undefined where neither is set. Throws a CommandError for what names no Postgres, or cannot be read. */
export function findDatabaseUrl(env: World["env"]): string | undefined {
  try {
    return readEnv(env, readUrl);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CommandError(EXIT.usage, error.message, { cause: error });
  }
}
