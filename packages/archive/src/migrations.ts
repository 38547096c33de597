import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ArchivePool } from "./archive-pool.ts";

/** The folder of migrations, which stands beside this module. */
export const MIGRATIONS = fileURLToPath(new URL("./migrations", import.meta.url));

/**
 * Names of the migrations of this version that have not been applied, in order. Those of a later version are no matter.
 * Changes nothing. Throws an ArchiveError when Postgres cannot say.
 */
export async function pendingMigrations(pool: ArchivePool): Promise<string[]> {
  const [table] = await pool.query<{ is_there: boolean }>(
    "SELECT to_regclass('assay.migrations') IS NOT NULL AS is_there",
  );
  const rows = table?.is_there === true ? await pool.query<{ name: string }>("SELECT name FROM assay.migrations") : [];
  const applied = new Set(rows.map(({ name }) => name));
  return readdirSync(MIGRATIONS)
    .map((file) => file.replace(/\.sql$/, ""))
    .filter((name) => !applied.has(name))
    .toSorted();
}
