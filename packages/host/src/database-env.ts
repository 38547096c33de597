import { readFileSync } from "node:fs";
import type { EnvReader } from "./env.ts";

/** The archive's Postgres, if there is one. */
export interface DatabaseAddress {
  /** `postgres://…`, as it was at the start. */
  readonly databaseUrl?: string;
  /** The file that it was read from, which may say otherwise by now. */
  readonly databaseUrlFile?: string;
}

/** Reads `DATABASE_URL`, or the file that `DATABASE_URL_FILE` names: the archive's Postgres. Undefined without one, and a fault for another address. */
export function readDatabaseUrl(reader: EnvReader): string | undefined {
  const url = reader.secret("DATABASE_URL");
  if (url === undefined || isPostgres(url)) return url;
  const example = "postgres://assay:password@localhost:5432/assay";
  reader.fault(
    "DATABASE_URL",
    `is no postgres:// address. Set DATABASE_URL to the archive's Postgres, for example ${example}.`,
  );
  return undefined;
}

/** The same, with its file. */
export function readDatabaseAddress(reader: EnvReader): DatabaseAddress {
  const databaseUrl = readDatabaseUrl(reader);
  const databaseUrlFile = reader.optional("DATABASE_URL_FILE");
  return {
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    ...(databaseUrlFile === undefined ? {} : { databaseUrlFile }),
  };
}

/**
 * Tells the address as it is now: its file is read each time, so that a rotated password needs no restart. While the file
 * holds no address, it is the last one.
 */
export function followDatabaseUrl(databaseUrl: string, { databaseUrlFile }: DatabaseAddress): () => string {
  let last = databaseUrl;
  return () => {
    const read = databaseUrlFile === undefined ? "" : contentOf(databaseUrlFile);
    if (isPostgres(read)) last = read;
    return last;
  };
}

function isPostgres(url: string): boolean {
  return /^postgres(?:ql)?:\/\//.test(url) && URL.canParse(url);
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
