import type { ClientBase } from "pg";
import type { ArchivePool } from "./archive-pool.ts";
import type { SubjectRow } from "./find-subject-rows.ts";
import { dayOf, DAY_MS } from "./partitions.ts";

/** How many rows of each table. */
export interface ErasedRows {
  readonly verdicts: number;
  readonly events: number;
  readonly labels: number;
}

export interface Erasure {
  readonly tenant: string;
  readonly rows: readonly SubjectRow[];
  /** All of the subject's submissions, also those that are not archived yet. */
  readonly submissionIds: readonly string[];
  /** Unix ms: whoever uses one of their ids later is somebody new. */
  readonly erasedAt: number;
}

/** What an erasure leaves behind, besides the ids of submissions. */
export interface Tombstone {
  readonly kind: "subject" | "event";
  readonly hash: string;
}

// Any number that is neither the migrations' own lock nor that of partitions.
const LOCK = 4_105_372_232;
const ROWS_AT_ONCE = 500;

/**
 * When those of some submissions that were erased were (unix ms), by `<tenant> <id>`. No erasure begins before the end of the transaction:
 * whoever erases waits for what is inserted, and finds it.
 */
export async function readErasedSubmissions(
  client: ClientBase,
  submissions: readonly { readonly tenant: string; readonly id: string }[],
): Promise<Map<string, number>> {
  // A statement of its own: the next one sees all that was erased before the lock was given.
  await client.query("SELECT pg_advisory_xact_lock_shared($1)", [LOCK]);
  const { rows } = await client.query<{ tenant: string; name: string; erased_at: Date }>(
    `SELECT tenant, name, erased_at FROM assay.erasures JOIN unnest($1::text[], $2::text[]) AS given (tenant, name) USING (tenant, name)
     WHERE kind = 'submission'`,
    [submissions.map(({ tenant }) => tenant), submissions.map(({ id }) => id)],
  );
  return new Map(rows.map(({ tenant, name, erased_at: at }) => [`${tenant} ${name}`, at.getTime()]));
}

/**
 * Erases a subject's rows, and keeps the writer from bringing them back: whoever has a batch in hand waits, and then
 * finds what was erased. 500 submissions in one transaction; those that name the subject go last, so that whoever is
 * killed midway and comes again finds the rest. Safe to repeat. Throws an ArchiveError.
 */
export async function eraseSubjectRows(pool: ArchivePool, erasure: Erasure): Promise<ErasedRows> {
  const { tenant, rows, submissionIds, erasedAt } = erasure;
  const counts = { verdicts: 0, events: 0, labels: 0 };
  const ordered = rows.toSorted((a, b) => Number(a.isDirect) - Number(b.isDirect));
  const archived = new Set(rows.map(({ id }) => id));
  const others = submissionIds.filter((id) => !archived.has(id)).map((id) => ({ id, receivedAt: undefined }));
  for (const page of pagesOf([...others, ...ordered])) {
    await pool.transaction(async (client) => {
      await client.query("SELECT pg_advisory_xact_lock($1)", [LOCK]);
      const ids = [...new Set(page.map(({ id }) => id))];
      await bury(client, { tenant, kind: "submission", names: ids, erasedAt });
      for (const [day, ofDay] of byDay(page)) {
        const range = [tenant, new Date(day), new Date(day + DAY_MS), ofDay];
        for (const table of ["events", "verdicts"] as const) {
          const { rowCount } = await client.query(
            `DELETE FROM assay.${table} WHERE tenant = $1 AND received_at >= $2 AND received_at < $3 AND id = ANY($4)`,
            range,
          );
          counts[table] += rowCount ?? 0;
        }
      }
      const { rowCount } = await client.query(
        "DELETE FROM assay.labels WHERE tenant = $1 AND submission_id = ANY($2)",
        [tenant, ids],
      );
      counts.labels += rowCount ?? 0;
    });
  }
  return counts;
}

/** Keeps what the ledger's tombstones say, too. Throws an ArchiveError. */
export async function buryInArchive(
  pool: ArchivePool,
  { tenant, erasedAt, tombstones }: { tenant: string; erasedAt: number; tombstones: readonly Tombstone[] },
): Promise<void> {
  await pool.transaction(async (client) => {
    for (const kind of ["subject", "event"] as const) {
      const names = tombstones.filter((one) => one.kind === kind).map(({ hash }) => hash);
      await bury(client, { tenant, kind, names, erasedAt });
    }
  });
}

/** Digests of archived rulesets whose files hold a text, such as a list with it. They are not the subject's to erase. */
export async function findRulesetsWith(pool: ArchivePool, spellings: readonly string[]): Promise<string[]> {
  const rows = await pool.query<{ digest: string }>(
    `SELECT digest FROM assay.rulesets
     WHERE EXISTS (SELECT 1 FROM unnest($1::text[]) AS spelling WHERE strpos(files, spelling) > 0) ORDER BY digest`,
    [spellings],
  );
  return rows.map(({ digest }) => digest);
}

async function bury(
  client: ClientBase,
  { tenant, kind, names, erasedAt }: { tenant: string; kind: string; names: readonly string[]; erasedAt: number },
): Promise<void> {
  if (names.length === 0) return;
  await client.query(
    `INSERT INTO assay.erasures (tenant, kind, name, erased_at) SELECT $1, $2, name, $4 FROM unnest($3::text[]) AS name
     ON CONFLICT (tenant, kind, name) DO UPDATE SET erased_at = greatest(erasures.erased_at, excluded.erased_at)`,
    [tenant, kind, names, new Date(erasedAt)],
  );
}

function byDay(
  rows: readonly { readonly id: string; readonly receivedAt: number | undefined }[],
): Map<number, string[]> {
  const days = new Map<number, string[]>();
  for (const { id, receivedAt } of rows) {
    if (receivedAt === undefined) continue;
    const day = dayOf(receivedAt);
    days.set(day, [...(days.get(day) ?? []), id]);
  }
  return days;
}

function* pagesOf<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let from = 0; from < items.length; from += ROWS_AT_ONCE) yield items.slice(from, from + ROWS_AT_ONCE);
}
