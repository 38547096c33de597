import { ConfigError, readEnv } from "@assay/host/env";
import { CommandError, EXIT, type World } from "./report.ts";

/** `DATABASE_URL`, or what the file holds that `DATABASE_URL_FILE` names. Throws a CommandError without a usable one. */
export function readDatabaseUrl(env: World["env"]): string {
  try {
    const url = readEnv(env, (reader) => reader.secret("DATABASE_URL"));
    if (url !== undefined && /^postgres(?:ql)?:\/\//.test(url) && URL.canParse(url)) return url;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CommandError(EXIT.usage, error.message, { cause: error });
  }
  throw new CommandError(
    EXIT.usage,
    "Set DATABASE_URL to the archive's Postgres, for example postgres://assay:password@localhost:5432/assay.",
  );
}
