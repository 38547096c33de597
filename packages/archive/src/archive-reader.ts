import { inflateRawSync } from "node:zlib";
import { isRecord, type Label, LABELS, MAX_EVENT_BYTES } from "@assay/protocol";
import { ArchiveError } from "./archive-error.ts";
import type { ArchivePool } from "./archive-pool.ts";
import { type BacktestPage, type BacktestRange, readBacktestRows } from "./backtest-rows.ts";
import { writeCursor } from "./cursor.ts";
import { DAY_MS, listPartitions, type Partitioned } from "./partitions.ts";
import { type PublishedRange, type PublishedVerdict, readPublished } from "./read-published.ts";
import { column } from "./verdict-columns.ts";
import { pageSize, type VerdictFilter, verdictStatement, type Window, windowOf } from "./verdict-query.ts";

/** A verdict as it was published. */
export interface ArchivedVerdict {
  readonly id: string;
  /** Unix ms. */
  readonly receivedAt: number;
  /** The verdict's JSON, byte by byte. */
  readonly verdict: string;
  /** What it was made from besides its submission and its event. */
  readonly pinned: string;
}

export interface VerdictPage {
  readonly verdicts: readonly ArchivedVerdict[];
  /** Asks for the next page; absent on the last one. */
  readonly cursor?: string;
}

/** What a verdict was made from. */
export interface ArchivedEvent {
  readonly submissionId: string;
  /** Unix ms. */
  readonly receivedAt: number;
  /** JSON of the submission: kind, context, facts. */
  readonly submission: string;
  /** The event's JSON; absent where there was none. */
  readonly event?: string;
}

export interface ArchivedRuleset {
  readonly digest: string;
  readonly name: string;
  readonly engine: string;
  /** Path → text. */
  readonly files: Readonly<Record<string, string>>;
}

export interface ArchivedLabel {
  /** The outcome's. */
  readonly id: string;
  readonly outcome?: string;
  readonly label?: Label;
  /** Unix ms. */
  readonly occurredAt: number;
}

/** One thing of one tenant. */
export interface Wanted {
  readonly tenant: string;
  readonly id: string;
}

/** Finds what the archive holds. Each throws an ArchiveError `archive_unavailable` when Postgres does not answer. */
export interface ArchiveReader {
  /** Newest first. A verdict that comes while pages are turned may be on none of them. Throws for a cursor that is none of ours. */
  verdicts(filter: VerdictFilter): Promise<VerdictPage>;
  /** The latest verdict of a submission id; undefined when there is none, or no longer. */
  verdict(wanted: Wanted): Promise<ArchivedVerdict | undefined>;
  /**
   * Verdicts that were published between two places of the stream `verdicts`, in the order of the stream; empty at its
   * end. Without tests, which are not archived, and without what was published more than five days after it was
   * received. What still waits for the archive is not among them yet, also where later ones are.
   */
  published(range: PublishedRange): Promise<PublishedVerdict[]>;
  /**
   * Which of these event ids a verdict was made on, and not only for want of the event. Throws, too, where there are no
   * tables: then none would be known.
   */
  knownEvents(wanted: { readonly tenant: string; readonly eventIds: readonly string[] }): Promise<Set<string>>;
  /** What a verdict was made from, by the verdict's own time; undefined when it is no longer kept. */
  madeFrom(wanted: Wanted & { readonly receivedAt: number }): Promise<ArchivedEvent | undefined>;
  /** The latest of what an event id brought. */
  event(wanted: Wanted): Promise<ArchivedEvent | undefined>;
  ruleset(digest: string): Promise<ArchivedRuleset | undefined>;
  /** What became of a submission, in the order in which it occurred, at most 100. */
  labels(wanted: Wanted): Promise<ArchivedLabel[]>;
  /** What rules can be tried on, in the order in which it was received. A day that is dropped meanwhile ends there. */
  backtestRows(range: BacktestRange): AsyncIterable<BacktestPage>;
  /** Closes the pool. May be called twice. */
  stop(): Promise<void>;
}

export interface ArchiveReaderOptions {
  readonly pool: ArchivePool;
}

interface VerdictRecord {
  readonly received_at: Date;
  readonly id: string;
  readonly pinned: string;
  readonly body: string;
}

interface EventRecord {
  readonly received_at: Date;
  readonly id: string;
  readonly submission: string;
  readonly body: Buffer | null;
}

/*
 * A statement locks every partition that it may touch, and each of its indexes: three months of days at once would take
 * a tenth of what a server has for all its sessions. So time is walked in weeks, and most answers end in the first.
 */
const DAYS_AT_ONCE = 7;

/** Opens nothing yet. */
export function createArchiveReader({ pool }: ArchiveReaderOptions): ArchiveReader {
  /** Rows of the newest days first, until there are `limit` of them. */
  async function walk<Row>(
    table: Partitioned,
    { from, to }: Window,
    limit: number,
    ask: (window: Window, limit: number) => Promise<readonly Row[]>,
  ): Promise<Row[]> {
    const days = (await listPartitions(pool, table)).filter((day) => day < to && day + DAY_MS > from);
    const found: Row[] = [];
    while (days.length > 0 && found.length < limit) {
      const week = days.splice(0, DAYS_AT_ONCE);
      const [newest = 0, oldest = newest] = [week[0], week.at(-1)];
      const window = { from: Math.max(from, oldest), to: Math.min(to, newest + DAY_MS) };
      found.push(...(await ask(window, limit - found.length)));
    }
    return found;
  }

  async function latest<Row extends VerdictRecord | EventRecord>(
    table: Partitioned,
    columns: string,
    condition: string,
    { tenant, id }: Wanted,
  ): Promise<Row | undefined> {
    const sql = `SELECT received_at, id, ${columns} FROM assay.${table} WHERE tenant = $1 AND ${condition}
      AND received_at >= $3 AND received_at < $4 ORDER BY received_at DESC, id DESC LIMIT 1`;
    const [row] = await walk(table, ALWAYS, 1, ({ from, to }) =>
      pool.query<Row>(sql, [tenant, id, new Date(from), new Date(to)]),
    );
    return row;
  }

  return {
    async verdicts(filter) {
      const size = pageSize(filter);
      // One more tells whether there is another page.
      const rows = await walk("verdicts", windowOf(filter), size + 1, (window, limit) => {
        const { sql, values } = verdictStatement(filter, window, limit);
        return pool.query<VerdictRecord>(sql, values);
      });
      const verdicts = rows.slice(0, size).map(verdictOf);
      const last = verdicts.at(-1);
      return { verdicts, ...(rows.length > size && last !== undefined ? { cursor: writeCursor(last) } : {}) };
    },
    async verdict(wanted) {
      const row = await latest<VerdictRecord>("verdicts", "pinned, body", "id = $2", wanted);
      return row && verdictOf(row);
    },
    published: (range) => readPublished(pool, range),
    async knownEvents({ tenant, eventIds }) {
      const [made] = await pool.query<{ found: boolean }>("SELECT to_regclass('assay.verdicts') IS NOT NULL AS found");
      if (made?.found !== true)
        throw new ArchiveError("archive_unavailable", "The archive has no tables. Run: assay migrate");
      // By the text of the column, which may be shorter.
      const left = new Map(eventIds.map((eventId) => [column(eventId) ?? "", eventId]));
      const known = new Set<string>();
      await walk("verdicts", ALWAYS, left.size, async ({ from, to }) => {
        const rows = await pool.query<{ event_id: string }>(
          `SELECT DISTINCT event_id FROM assay.verdicts
           WHERE tenant = $1 AND event_id = ANY($2) AND received_at >= $3 AND received_at < $4
             AND (undecided IS NULL OR kind NOT IN ('lookup', 'sealed'))`,
          [tenant, [...left.keys()], new Date(from), new Date(to)],
        );
        for (const { event_id: found } of rows) {
          known.add(left.get(found) ?? found);
          left.delete(found);
        }
        return rows;
      });
      return known;
    },
    async madeFrom({ tenant, id, receivedAt }) {
      const [row] = await pool.query<EventRecord>(
        `SELECT received_at, id, submission, body FROM assay.events
         WHERE tenant = $1 AND id = $2 AND received_at = $3`,
        [tenant, id, new Date(receivedAt)],
      );
      return row && eventOf(row);
    },
    async event(wanted) {
      const row = await latest<EventRecord>("events", "submission, body", "event_id = $2 AND body IS NOT NULL", wanted);
      return row && eventOf(row);
    },
    async ruleset(digest) {
      const sql = "SELECT digest, name, engine, files FROM assay.rulesets WHERE digest = $1";
      const [row] = await pool.query<{ digest: string; name: string; engine: string; files: string }>(sql, [digest]);
      return row && { ...row, files: readFiles(row.files) };
    },
    async labels({ tenant, id }) {
      const rows = await pool.query<{ id: string; outcome: string | null; label: string | null; occurred_at: Date }>(
        `SELECT id, outcome, label, occurred_at FROM assay.labels WHERE tenant = $1 AND submission_id = $2
         ORDER BY occurred_at, id LIMIT 100`,
        [tenant, id],
      );
      return rows.map((row) => {
        const label = LABELS.find((known) => known === row.label);
        return {
          id: row.id,
          ...(row.outcome === null ? {} : { outcome: row.outcome }),
          ...(label === undefined ? {} : { label }),
          occurredAt: row.occurred_at.getTime(),
        };
      });
    },
    backtestRows: (range) => readBacktestRows(pool, range),
    stop: () => pool.stop(),
  };
}

const ALWAYS: Window = { from: 0, to: Number.MAX_SAFE_INTEGER };

function verdictOf({ id, received_at, body, pinned }: VerdictRecord): ArchivedVerdict {
  return { id, receivedAt: received_at.getTime(), verdict: body, pinned };
}

function eventOf({ id, received_at, submission, body }: EventRecord): ArchivedEvent {
  return {
    submissionId: id,
    receivedAt: received_at.getTime(),
    submission,
    ...(body === null ? {} : { event: inflate(body) }),
  };
}

// A little above the limit of an event, which may have grown by a few names since it was measured.
function inflate(deflated: Buffer): string {
  return inflateRawSync(deflated, { maxOutputLength: 2 * MAX_EVENT_BYTES }).toString("utf8");
}

function readFiles(json: string): Record<string, string> {
  const files: unknown = JSON.parse(json);
  if (!isRecord(files)) throw new ArchiveError("archive_rejected", "The archive holds a ruleset without files.");
  return Object.fromEntries(Object.entries(files).map(([path, content]) => [path, String(content)]));
}
