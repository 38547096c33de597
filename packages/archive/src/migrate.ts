import { runner } from "node-pg-migrate";
import { Client } from "pg";
import { archiveErrorOf } from "./archive-error.ts";
import { MIGRATIONS } from "./migrations.ts";

export interface MigrateOptions {
  /** `postgres://…` of a role that may create a schema. */
  readonly connectionString: string;
  /** Only says what would be applied; changes nothing. */
  readonly dryRun?: boolean;
}

/** Names of the migrations that were applied, or would be, in order. Empty when the archive is up to date. */
export interface Migrated {
  readonly applied: readonly string[];
}

const TIMEOUT_MS = 10_000;

/**
 * Brings the schema `assay` of a database up to date, all or nothing, under an advisory lock: whoever comes meanwhile
 * waits and finds nothing left to do. Throws an ArchiveError.
 */
export async function migrateArchive({ connectionString, dryRun = false }: MigrateOptions): Promise<Migrated> {
  const client = new Client({
    connectionString,
    connectionTimeoutMillis: TIMEOUT_MS,
    application_name: "assay migrate",
  });
  // The connection's failure also rejects the query, which is where it is judged.
  client.on("error", () => undefined);
  try {
    await client.connect();
    // A dry run makes the tool's own table too: it is undone with everything else.
    if (dryRun) await client.query("BEGIN");
    const done = await runner({
      dbClient: client,
      dir: MIGRATIONS,
      direction: "up",
      schema: "assay",
      createSchema: true,
      migrationsTable: "migrations",
      advisoryLockMode: "wait",
      dryRun,
      singleTransaction: !dryRun,
      logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    });
    if (dryRun) await client.query("ROLLBACK");
    return { applied: done.map(({ name }) => name) };
  } catch (error) {
    throw archiveErrorOf(error);
  } finally {
    await client.end();
  }
}

function quiet(): void {
  // What was done is in the answer, and what failed is thrown.
}
