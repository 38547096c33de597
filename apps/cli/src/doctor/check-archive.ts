import { ArchiveError, createArchivePool, pendingMigrations } from "@assay/archive";
import { type ArchiveBacklog, readArchiveBacklog, readLeftGroups } from "@assay/ledger";
import { showAgo, showBytes, showShare } from "./amounts.ts";
import type { Finding } from "./finding.ts";
import type { Patient, TenantPatient } from "./patient.ts";

const TIMEOUT_MS = 3000;
/** An alert is due from here on. */
const HIGH_SHARE = 0.5;

/** What is known of an archive. */
export interface ArchiveState {
  readonly backlog: ArchiveBacklog;
  /** Bytes that may wait; absent where workers said that they have no archive. */
  readonly maxBytes?: number | undefined;
  /** Groups of consumers that miss what it has, and cannot read it. */
  readonly left?: readonly string[];
  /** What Postgres says; absent where DATABASE_URL is not set here. */
  readonly postgres?: { readonly trouble?: string; readonly pending: readonly string[] };
}

/** Whether Postgres can take verdicts, and how much waits for it. */
export async function checkArchive(
  { keys, abilities }: TenantPatient,
  { redis, now, settings }: Patient,
): Promise<Finding> {
  const backlog = await readArchiveBacklog(redis, keys);
  const { databaseUrl } = settings;
  const state = { backlog, maxBytes: abilities.maxArchiveBytes, left: await readLeftGroups(redis, keys) };
  return judgeArchive(databaseUrl === undefined ? state : { ...state, postgres: await askPostgres(databaseUrl) }, now);
}

/** The finding of what is known. */
export function judgeArchive({ backlog, maxBytes, left = [], postgres }: ArchiveState, now: number): Finding {
  const name = "archive";
  const { entries, bytes, since, dropped } = backlog;
  if (postgres?.trouble !== undefined) {
    const todo = "start it, or correct DATABASE_URL; verdicts wait in Redis meanwhile";
    return { name, status: "fail", says: postgres.trouble, do: todo };
  }
  if (postgres !== undefined && postgres.pending.length > 0) {
    const says = `Its tables are not those of this version: ${postgres.pending.join(", ")} to come`;
    return { name, status: "fail", says, do: "run assay migrate" };
  }
  if (maxBytes === undefined) {
    if (postgres === undefined) {
      return { name, status: "ok", says: "There is none: what was decided is gone once Redis forgets it" };
    }
    const todo = "set it for every worker, also those that only decide";
    return {
      name,
      status: "warn",
      says: "DATABASE_URL is set here, and the workers said that they have none",
      do: todo,
    };
  }
  const oldest = since === undefined ? "" : `, the oldest since ${showAgo(since, now)}`;
  const waits = `${entries} entries wait for it, ${showBytes(bytes)} of ${showBytes(maxBytes)}${oldest}`;
  if (bytes > HIGH_SHARE * maxBytes) {
    const says = `${showShare(bytes / maxBytes)} of what may wait is reached: ${waits}`;
    const todo = "look at /readyz of the workers that archive, and at Postgres; then the oldest are dropped";
    return { name, status: "warn", says, do: todo };
  }
  if (dropped > 0) {
    const todo = "raise ASSAY_ARCHIVE_BACKLOG_MAX_BYTES; what was dropped is in no archive";
    return { name, status: "warn", says: `${dropped} entries were dropped since the beginning; ${waits}`, do: todo };
  }
  if (left.length > 0) {
    const says = `It has verdicts that left the stream before these groups were given them: ${left.join(", ")}`;
    const todo = "give a worker that delivers DATABASE_URL (assay-deliver), a consumer of another group an archive";
    return { name, status: "warn", says, do: todo };
  }
  return { name, status: "ok", says: entries === 0 ? "All that was decided is in it" : waits };
}

async function askPostgres(connectionString: string): Promise<NonNullable<ArchiveState["postgres"]>> {
  const pool = createArchivePool({ connectionString, maxConnections: 1, timeoutMs: TIMEOUT_MS });
  try {
    return { pending: await pendingMigrations(pool) };
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    return { trouble: error.message, pending: [] };
  } finally {
    await pool.stop();
  }
}
