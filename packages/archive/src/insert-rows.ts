import type { ClientBase } from "pg";
import { readErasedSubmissions } from "./erase-subject.ts";
import type { AuditRow, LabelRow, RulesetRow, VerdictRow } from "./archive-row.ts";
import { type StreamId, streamIdOf } from "./stream-id.ts";
import { type VerdictColumns, verdictColumns } from "./verdict-columns.ts";

/** A row with all that its table asks for. */
export type ReadyRow = ReadyVerdict | RulesetRow | LabelRow | AuditRow;

type ReadyVerdict = VerdictRow & { readonly columns: VerdictColumns; readonly published?: StreamId };

/** Reads what a verdict is found by. Throws an ArchiveError for a row that no table takes. */
export function readyRow(row: VerdictRow | RulesetRow | LabelRow | AuditRow): ReadyRow {
  if (row.type !== "verdict") return row;
  const { verdict, streamId } = row;
  return {
    ...row,
    columns: verdictColumns(verdict),
    ...(streamId === undefined ? {} : { published: streamIdOf(streamId) }),
  };
}

/** A column: its type, and what a row has in it. */
type Column<Row> = readonly [type: string, of: (row: Row) => unknown];

interface Table<Row> {
  readonly name: string;
  readonly key: (row: Row) => string;
  readonly columns: Readonly<Record<string, Column<Row>>>;
}

const VERDICTS: Table<ReadyVerdict> = {
  name: "verdicts",
  key: ({ tenant, columns }) => `${columns.receivedAt} ${tenant} ${columns.id}`,
  columns: {
    tenant: ["text", ({ tenant }) => tenant],
    received_at: ["timestamptz", ({ columns }) => isoTime(columns.receivedAt)],
    id: ["text", ({ columns }) => columns.id],
    decided_at: ["timestamptz", ({ columns }) => isoTime(columns.decidedAt)],
    kind: ["text", ({ columns }) => columns.kind],
    action: ["text", ({ columns }) => columns.action],
    score: ["float8", ({ columns }) => columns.score],
    flow: ["text", ({ columns }) => columns.flow],
    user_id: ["text", ({ columns }) => columns.userId],
    reference: ["text", ({ columns }) => columns.reference],
    visitor_id: ["text", ({ columns }) => columns.visitorId],
    linked_id: ["text", ({ columns }) => columns.linkedId],
    event_id: ["text", ({ columns }) => columns.eventId],
    ruleset: ["text", ({ columns }) => columns.ruleset],
    ruleset_digest: ["text", ({ columns }) => columns.rulesetDigest],
    engine: ["text", ({ columns }) => columns.engine],
    // An array of arrays would be flattened: each goes as text and is read by the server.
    rules: ["text", ({ columns }) => arrayLiteral(columns.rules)],
    undecided: ["text", ({ columns }) => columns.undecided],
    late: ["bool", ({ columns }) => columns.late],
    pinned: ["text", ({ pinned }) => pinned],
    body: ["text", ({ verdict }) => verdict],
    stream_ms: ["int8", ({ published }) => published?.ms],
    stream_seq: ["int8", ({ published }) => published?.seq],
  },
};

const EVENTS: Table<ReadyVerdict> = {
  name: "events",
  key: VERDICTS.key,
  columns: {
    tenant: ["text", ({ tenant }) => tenant],
    received_at: ["timestamptz", ({ columns }) => isoTime(columns.receivedAt)],
    id: ["text", ({ columns }) => columns.id],
    event_id: ["text", ({ columns }) => columns.eventId],
    submission: ["text", ({ submission }) => submission],
    body: ["bytea", ({ event }) => (event === undefined ? undefined : asBuffer(event))],
  },
};

const RULESETS: Table<RulesetRow> = {
  name: "rulesets",
  key: ({ digest }) => digest,
  columns: {
    digest: ["text", ({ digest }) => digest],
    name: ["text", ({ name }) => name],
    engine: ["text", ({ engine }) => engine],
    files: ["text", ({ files }) => JSON.stringify(files)],
    loaded_at: ["timestamptz", ({ loadedAt }) => isoTime(loadedAt)],
  },
};

const LABELS: Table<LabelRow> = {
  name: "labels",
  key: ({ tenant, id }) => `${tenant} ${id}`,
  columns: {
    tenant: ["text", ({ tenant }) => tenant],
    id: ["text", ({ id }) => id],
    submission_id: ["text", ({ submissionId }) => submissionId],
    outcome: ["text", ({ outcome }) => outcome],
    label: ["text", ({ label }) => label],
    occurred_at: ["timestamptz", ({ occurredAt }) => isoTime(occurredAt)],
    told_at: ["timestamptz", ({ toldAt }) => isoTime(toldAt)],
  },
};

const AUDIT: Table<AuditRow> = {
  name: "audit",
  key: ({ tenant, at, id }) => `${tenant} ${at} ${id}`,
  columns: {
    tenant: ["text", ({ tenant }) => tenant],
    at: ["timestamptz", ({ at }) => isoTime(at)],
    id: ["text", ({ id }) => id],
    actor: ["text", ({ actor }) => actor],
    act: ["text", ({ act }) => act],
    subject: ["text", ({ subject }) => subject],
    detail: ["text", ({ detail }) => JSON.stringify(detail)],
  },
};

/**
 * Inserts rows whose keys are new, one statement a table. Returns how many of them were new. What is about a submission
 * that was erased is left out, but for the verdict that says so.
 */
export async function insertRows(client: ClientBase, all: readonly ReadyRow[]): Promise<number> {
  const named = all.flatMap((row) => submissionOf(row) ?? []);
  const erased = named.length === 0 ? new Map<string, number>() : await readErasedSubmissions(client, named);
  const rows = all.filter((row) => {
    const submission = submissionOf(row);
    if (submission === undefined) return true;
    // A key that was forgotten may be used anew: that submission is nobody's who was erased.
    return submission.at > (erased.get(`${submission.tenant} ${submission.id}`) ?? 0);
  });
  const verdicts = rows.filter((row) => row.type === "verdict");
  await insert(client, EVENTS, verdicts);
  return (
    (await insert(client, VERDICTS, verdicts)) +
    (await insert(
      client,
      RULESETS,
      rows.filter((row) => row.type === "ruleset"),
    )) +
    (await insert(
      client,
      LABELS,
      rows.filter((row) => row.type === "label"),
    )) +
    (await insert(
      client,
      AUDIT,
      rows.filter((row) => row.type === "audit"),
    ))
  );
}

/** The submission that a row is about, and when (unix ms) that is from, if an erasure may reach it. */
function submissionOf(
  row: ReadyRow,
): { readonly tenant: string; readonly id: string; readonly at: number } | undefined {
  switch (row.type) {
    case "verdict":
      if (row.columns.undecided === "event_erased") return undefined;
      return { tenant: row.tenant, id: row.columns.id, at: row.columns.receivedAt };
    case "label":
      return { tenant: row.tenant, id: row.submissionId, at: row.toldAt };
    case "ruleset":
    case "audit":
      return undefined;
  }
}

async function insert<Row>(
  client: ClientBase,
  { name, key, columns }: Table<Row>,
  rows: readonly Row[],
): Promise<number> {
  if (rows.length === 0) return 0;
  // Two writers that have the same rows in hand take them in the same order, and never wait for each other in a ring.
  const ordered = rows.map((row) => ({ row, at: key(row) })).toSorted((a, b) => (a.at < b.at ? -1 : 1));
  const names = Object.keys(columns);
  const selected = names.map((column) => (column === "rules" ? "rules::text[]" : column));
  const types = Object.values(columns).map(([type], index) => `$${index + 1}::${type}[]`);
  const { rowCount } = await client.query(
    `INSERT INTO assay.${name} (${names.join(", ")})
     SELECT ${selected.join(", ")} FROM unnest(${types.join(", ")}) AS given (${names.join(", ")})
     ON CONFLICT DO NOTHING`,
    Object.values(columns).map(([, of]) => ordered.map(({ row }) => of(row) ?? null)),
  );
  return rowCount ?? 0;
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function arrayLiteral(texts: readonly string[]): string {
  return `{${texts.map((one) => `"${one.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`).join(",")}}`;
}
