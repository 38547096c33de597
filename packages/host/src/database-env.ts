import type { EnvReader } from "./env.ts";

/** Reads `DATABASE_URL`, or the file that `DATABASE_URL_FILE` names: the archive's Postgres. Undefined without one, and a fault for another address. */
export function readDatabaseUrl(reader: EnvReader): string | undefined {
  const url = reader.secret("DATABASE_URL");
  if (url === undefined || (/^postgres(?:ql)?:\/\//.test(url) && URL.canParse(url))) return url;
  const example = "postgres://assay:password@localhost:5432/assay";
  reader.fault(
    "DATABASE_URL",
    `is no postgres:// address. Set DATABASE_URL to the archive's Postgres, for example ${example}.`,
  );
  return undefined;
}
