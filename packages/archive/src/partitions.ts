import type { ArchivePool } from "./archive-pool.ts";

/** Tables whose rows are kept by the day they were received. */
export const PARTITIONED = ["verdicts", "events"] as const;

export type Partitioned = (typeof PARTITIONED)[number];

export const DAY_MS = 86_400_000;

// Any number that is not the migrations' own lock.
const LOCK = 4_105_372_231;

/** The day (UTC) of a time, as the unix ms of its beginning. */
export function dayOf(timeMs: number): number {
  return Math.floor(timeMs / DAY_MS) * DAY_MS;
}

/** The name of a day's partition: `verdicts_20261127`. */
export function partitionName(table: Partitioned, day: number): string {
  return `${table}_${new Date(day).toISOString().slice(0, 10).replaceAll("-", "")}`;
}

/** Makes a day's partition, unless it is there. Returns whether it was made. Inserts and reads go on meanwhile. */
export async function createPartition(pool: ArchivePool, table: Partitioned, day: number): Promise<boolean> {
  const name = partitionName(table, day);
  const [from, to] = [day, day + DAY_MS].map((time) => new Date(time).toISOString());
  return await pool.transaction(async (client) => {
    await client.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
    const { rows } = await client.query("SELECT to_regclass($1) AS found", [`assay.${name}`]);
    if (rows[0]?.found !== null) return false;
    // Not CREATE … PARTITION OF, which waits for every reader of the table and makes all others wait behind it.
    await client.query(`CREATE TABLE assay.${name} (LIKE assay.${table} INCLUDING ALL)`);
    await client.query(
      `ALTER TABLE assay.${table} ATTACH PARTITION assay.${name} FOR VALUES FROM ('${from}') TO ('${to}')`,
    );
    return true;
  });
}

/** Drops a day's partition. Gives up after two seconds, with 55P03, rather than hold up everyone behind a long reader. */
export async function dropPartition(pool: ArchivePool, table: Partitioned, day: number): Promise<void> {
  await pool.transaction(async (client) => {
    await client.query("SET LOCAL lock_timeout = '2s'");
    await client.query(`DROP TABLE IF EXISTS assay.${partitionName(table, day)}`);
  });
}

/** The days that have a partition, newest first. */
export async function listPartitions(pool: ArchivePool, table: Partitioned): Promise<number[]> {
  const rows = await pool.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = to_regclass($1) AND c.relname ~ '_[0-9]{8}$' ORDER BY name DESC`,
    [`assay.${table}`],
  );
  return rows.map(({ name }) => dayOfName(name));
}

function dayOfName(name: string): number {
  const [, year = "", month = "", day = ""] = /_(\d{4})(\d\d)(\d\d)$/.exec(name) ?? [];
  return Date.parse(`${year}-${month}-${day}T00:00:00Z`);
}
