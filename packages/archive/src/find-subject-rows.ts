import { inflateRawSync } from "node:zlib";
import { MAX_EVENT_BYTES } from "@assay/protocol";
import type { ArchivePool } from "./archive-pool.ts";
import { DAY_MS, listPartitions, PARTITIONED } from "./partitions.ts";
import { column } from "./verdict-columns.ts";

/** Columns that a subject is found by; an address has none. */
export type SubjectColumn = "user_id" | "visitor_id" | "linked_id" | "reference";

/** Whose rows are looked for. */
export interface SubjectRowsWanted {
  readonly tenant: string;
  readonly column?: SubjectColumn;
  /** The subject's value, and other spellings that our own text has it in. At least one. */
  readonly spellings: readonly string[];
  /** Whether a document names the subject. */
  readonly concerns: (document: unknown) => boolean;
  /** Whether events are opened too: they are deflated, and each of them is read. */
  readonly opensEvents: boolean;
  /** Ids of the subject's submissions and events that are known already. */
  readonly submissionIds: ReadonlySet<string>;
  readonly eventIds: ReadonlySet<string>;
  /** Told how many rows it has opened. */
  readonly onPage?: (opened: number) => void;
}

/** A verdict or an event that is about the subject. */
export interface SubjectRow {
  /** Unix ms. */
  readonly receivedAt: number;
  /** The submission's. */
  readonly id: string;
  /** Of the event that it is about, not of one that a seal only came with. */
  readonly eventId?: string;
  /** Whether it names the subject itself, and not only a submission or an event of the subject's. */
  readonly isDirect: boolean;
}

interface Row {
  readonly received_at: Date;
  readonly id: string;
  readonly event_id: string | null;
  readonly own_event_id: string | null;
  readonly document: string;
  readonly event: Buffer | null;
}

const ROWS_AT_ONCE = 1000;

/**
 * Rows of the subject in `verdicts` and `events`, a day at a time. Every day is read from its beginning to its end, as
 * a subject may stand in a text that no index knows. Throws an ArchiveError.
 */
export async function findSubjectRows(pool: ArchivePool, wanted: SubjectRowsWanted): Promise<SubjectRow[]> {
  const found = new Map<string, SubjectRow>();
  let opened = 0;
  for (const table of PARTITIONED) {
    for (const day of await listPartitions(pool, table)) {
      for await (const row of rowsOf(pool, statementOf(table, wanted), wanted, day)) {
        if (++opened % ROWS_AT_ONCE === 0) wanted.onPage?.(opened);
        const isDirect = isNamed(row, wanted);
        if (!isDirect && !isKnown(row, wanted)) continue;
        const place = `${row.received_at.getTime()} ${row.id}`;
        found.set(place, {
          receivedAt: row.received_at.getTime(),
          id: row.id,
          ...(row.own_event_id === null ? {} : { eventId: row.own_event_id }),
          isDirect: isDirect || found.get(place)?.isDirect === true,
        });
      }
    }
  }
  return [...found.values()];
}

async function* rowsOf(
  pool: ArchivePool,
  sql: string,
  { tenant, spellings, submissionIds, eventIds }: SubjectRowsWanted,
  day: number,
): AsyncGenerator<Row> {
  let after: readonly [Date, string] = [new Date(day), ""];
  for (;;) {
    const known = [[...submissionIds], [...eventIds].map((id) => column(id))];
    const rows = await pool.query<Row>(sql, [tenant, ...after, new Date(day + DAY_MS), ...known, spellings]);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_AT_ONCE) return;
    after = [last.received_at, last.id];
  }
}

// What an erasure left behind is not found again.
const TABLES = {
  verdicts: {
    text: "body",
    ownEventId: "CASE WHEN kind = 'sealed' AND undecided IS NOT NULL THEN NULL ELSE event_id END",
    isWhole: "undecided IS DISTINCT FROM 'event_erased'",
  },
  events: {
    text: "submission",
    ownEventId: "CASE WHEN body IS NULL THEN NULL ELSE event_id END",
    isWhole: `strpos(submission, '"erased":true') = 0`,
  },
};

function statementOf(table: keyof typeof TABLES, { column: name, opensEvents }: SubjectRowsWanted): string {
  const { text, ownEventId, isWhole } = TABLES[table];
  const isOpened = table === "events" && opensEvents;
  const conditions = [
    "id = ANY($5)",
    "event_id = ANY($6)",
    `EXISTS (SELECT 1 FROM unnest($7::text[]) AS spelling WHERE strpos(${text}, spelling) > 0)`,
    ...(table === "verdicts" && name !== undefined ? [`${name} = ANY($7)`] : []),
    ...(isOpened ? ["body IS NOT NULL"] : []),
  ];
  return `SELECT received_at, id, event_id, ${ownEventId} AS own_event_id, ${text} AS document,
      ${isOpened ? "body" : "NULL::bytea"} AS event
    FROM assay.${table}
    WHERE tenant = $1 AND received_at >= $2 AND (received_at, id) > ($2, $3) AND received_at < $4 AND ${isWhole}
      AND (${conditions.join(" OR ")})
    ORDER BY received_at, id LIMIT ${ROWS_AT_ONCE}`;
}

function isNamed({ document, event }: Row, { column: name, spellings, concerns }: SubjectRowsWanted): boolean {
  if (concerns(JSON.parse(document))) return true;
  if (event === null) return false;
  const text = inflate(event);
  // Most need not be parsed. Only an address may be spelt in other ways.
  const mayName = name === undefined || spellings.some((spelling) => text.includes(spelling));
  return mayName && concerns(JSON.parse(text));
}

function isKnown({ id, event_id: eventId }: Row, { submissionIds, eventIds }: SubjectRowsWanted): boolean {
  return submissionIds.has(id) || (eventId !== null && eventIds.has(eventId));
}

function inflate(event: Buffer): string {
  return inflateRawSync(event, { maxOutputLength: 2 * MAX_EVENT_BYTES }).toString("utf8");
}
