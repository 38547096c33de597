import { ArchiveError } from "@assay/archive";
import { migrateArchive } from "@assay/archive/migrate";
import { readDatabaseUrl } from "./database-url.ts";
import { count } from "./faults.ts";
import { CommandError, EXIT, type Report, type World } from "./report.ts";

export interface MigrateCommandOptions {
  readonly dryRun?: boolean;
}

/** `assay migrate`: brings the archive that `DATABASE_URL` names up to date. */
export async function migrate({ dryRun = false }: MigrateCommandOptions, { env }: World): Promise<Report> {
  const connectionString = readDatabaseUrl(env);
  const { applied } = await apply(connectionString, dryRun);
  const done = dryRun ? "Would apply" : "Applied";
  const lines =
    applied.length === 0
      ? ["The archive is up to date."]
      : [`${done} ${count(applied.length, "migration")}:`, ...applied.map((name) => `  ${name}`)];
  return { exitCode: EXIT.fine, json: { applied, dry_run: dryRun }, text: lines.join("\n") };
}

async function apply(connectionString: string, dryRun: boolean): ReturnType<typeof migrateArchive> {
  try {
    return await migrateArchive({ connectionString, dryRun });
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    throw new CommandError(EXIT.unavailable, `${error.message} Nothing was changed.`, { cause: error });
  }
}
