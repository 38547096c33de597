import { randomUUID } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import {
  type ArchivePool,
  type ArchiveReader,
  type ArchiveWriter,
  createArchivePool,
  createArchiveReader,
  createArchiveWriter,
  type VerdictRow,
} from "@assay/archive";
import { migrateArchive } from "@assay/archive/migrate";
import { submissionId, type Verdict } from "@assay/protocol";
import { onTestFinished } from "vitest";
import { createDatabase } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { aVerdict } from "../ledger/builders.ts";

export const DAY_MS = 86_400_000;

/** 2026-11-27T12:00:00Z, when the verdicts of these tests were received. */
export const NOON = Date.UTC(2026, 10, 27, 12);

/** An archive of one test. */
export interface Archive {
  readonly url: string;
  readonly pool: ArchivePool;
  readonly writer: ArchiveWriter;
  readonly reader: ArchiveReader;
}

/** A new database with the archive's tables; its connections are closed when the test ends. */
export async function openArchive(server: PrivatePostgres): Promise<Archive> {
  const url = await createDatabase(server);
  await migrateArchive({ connectionString: url });
  return connectArchive(url);
}

/** Connects to an archive that is there. */
export function connectArchive(url: string, options: { timeoutMs?: number; maxConnections?: number } = {}): Archive {
  const pool = createArchivePool({ connectionString: url, ...options });
  onTestFinished(() => pool.stop());
  return { url, pool, writer: createArchiveWriter({ pool }), reader: createArchiveReader({ pool }) };
}

/** A row with a verdict that no other test has. */
export function aVerdictRow(over: Partial<Verdict> = {}, row: Partial<VerdictRow> = {}): VerdictRow {
  const id = over.id ?? submissionId("0", "default", randomUUID());
  return {
    type: "verdict",
    tenant: "0",
    verdict: JSON.stringify(aVerdict(id, { received_at: NOON, decided_at: NOON + 20, ...over })),
    pinned: "0|0|1|d1||sealed|",
    submission: '{"kind":"sealed","context":{"flow":"login"}}',
    event: deflateRawSync('{"event_id":"e1"}'),
    ...row,
  };
}

export function idOf({ verdict }: { verdict: string }): string {
  const { id }: Verdict = JSON.parse(verdict);
  return id;
}

/** How many rows a table holds. */
export async function countOf({ pool }: Archive, table: string): Promise<number> {
  const rows = await pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM assay.${table}`);
  return rows[0]?.n ?? 0;
}
