import type { ArchivePool } from "./archive-pool.ts";
import { DAY_MS, listPartitions } from "./partitions.ts";

/** Verdicts of one tenant that were received in [since, until), unix ms. */
export interface BacktestRange {
  readonly tenant: string;
  readonly since: number;
  readonly until: number;
}

/** Some hundred verdicts, in the order in which they were received. */
export interface BacktestPage {
  /**
   * Of each verdict whose event is kept, one line of JSON without its end: `id`, `received_at` (unix ms), `submission` and the
   * verdict's `checks` as they were, `outcomes` (`outcome`, `label`, `occurred_at`, at most 100, in their order), and
   * `event`, which is the event's JSON as it is kept: deflated (raw), here in hex.
   */
  readonly lines: readonly string[];
  /** Verdicts on submissions that could not be judged, and have no event. */
  readonly undecided: number;
  /** Verdicts whose event is no longer kept. */
  readonly expired: number;
  /** All that was received before this time was read, unix ms. */
  readonly readUntil: number;
}

/** Rows of one statement: their events are at most some MiB together, and no partition is locked for long. */
const PAGE_ROWS = 500;

// Flat, and named nowhere else in a verdict: names of evidence are paths, and in a text the quotes are escaped. The
// server reads no JSON, as it refuses what a text may hold, such as U+0000.
const CHECKS = `'"checks":(\\{[^{}]*\\})'`;

/*
 * One day at a time, and one page of it: a statement locks a day's two partitions for as long as it takes, so that days
 * can be dropped in between. What a row needs is looked up by key for the page alone, whatever the planner knows of the
 * tables. The server writes the lines, as whoever reads pages has other things to do.
 */
const PAGE = `
  WITH page AS MATERIALIZED (
    SELECT received_at, id, undecided, body FROM assay.verdicts
    WHERE tenant = $1 AND received_at >= $2 AND received_at < $4 AND (received_at, id) > ($2, $3)
    ORDER BY received_at, id LIMIT ${PAGE_ROWS}
  )
  SELECT ${unixMs("page.received_at")} AS received_at, page.id, page.undecided IS NOT NULL AS undecided,
    CASE WHEN event.body IS NOT NULL THEN concat(
      '{"id":', to_json(page.id), ',"received_at":', ${unixMs("page.received_at")},
      ',"submission":', event.submission,
      ',"checks":', coalesce(substring(page.body FROM ${CHECKS}), '{}'), ',"outcomes":', coalesce(told.outcomes, '[]'),
      ',"event":"', encode(event.body, 'hex'), '"}'
    ) END AS line
  FROM page
  LEFT JOIN LATERAL (
    SELECT submission, body FROM assay.events
    WHERE tenant = $1 AND received_at >= $2 AND received_at < $4 AND received_at = page.received_at AND id = page.id
    LIMIT 1
  ) event ON true
  CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('outcome', outcome, 'label', label, 'occurred_at', ${unixMs("occurred_at")})
      ORDER BY occurred_at, id)::text AS outcomes
    FROM (
      SELECT id, outcome, label, occurred_at FROM assay.labels
      WHERE tenant = $1 AND submission_id = page.id COLLATE "default" ORDER BY occurred_at, id LIMIT 100
    ) latest
  ) told
  ORDER BY page.received_at, page.id`;

const COUNT = `
  SELECT count(*) FILTER (WHERE undecided IS NOT NULL)::int AS undecided,
    count(*) FILTER (WHERE undecided IS NULL)::int AS expired
  FROM assay.verdicts WHERE tenant = $1 AND received_at >= $2 AND received_at < $3`;

interface PageRow {
  readonly received_at: string;
  readonly id: string;
  readonly undecided: boolean;
  readonly line: string | null;
}

/**
 * Reads what rules can be tried on, in pages; the next one is asked for while one is looked at. A verdict that comes
 * meanwhile may be in none of them. Throws an ArchiveError.
 */
export async function* readBacktestRows(pool: ArchivePool, range: BacktestRange): AsyncGenerator<BacktestPage> {
  // Fails where the tables were never made, which is not the same as an empty archive.
  await pool.query("SELECT 1 FROM assay.verdicts, assay.events, assay.labels LIMIT 0");
  const pages = pagesOf(pool, range);
  let next = pages.next();
  for (;;) {
    const { value, done } = await next;
    if (done === true) return;
    next = pages.next();
    // Heard when its turn comes, if it ever does.
    next.catch(() => undefined);
    yield value;
  }
}

async function* pagesOf(pool: ArchivePool, { tenant, since, until }: BacktestRange): AsyncGenerator<BacktestPage> {
  const kept = new Set(await listPartitions(pool, "events"));
  const days = (await listPartitions(pool, "verdicts")).filter((day) => day < until && day + DAY_MS > since);
  for (const day of days.toReversed()) {
    const [from, to] = [Math.max(since, day), Math.min(until, day + DAY_MS)];
    if (kept.has(day)) yield* pagesOfDay(pool, { tenant, since: from, until: to });
    else yield await countDay(pool, { tenant, since: from, until: to });
  }
}

async function* pagesOfDay(pool: ArchivePool, { tenant, since, until }: BacktestRange): AsyncGenerator<BacktestPage> {
  // No id is before the empty one.
  let after = { receivedAt: since, id: "" };
  for (;;) {
    const rows = await pool.query<PageRow>(PAGE, [tenant, new Date(after.receivedAt), after.id, new Date(until)]);
    const last = rows.at(-1);
    const isDone = last === undefined || rows.length < PAGE_ROWS;
    if (last !== undefined) after = { receivedAt: Number(last.received_at), id: last.id };
    const without = rows.filter(({ line }) => line === null);
    const undecided = without.filter((row) => row.undecided).length;
    yield {
      lines: rows.flatMap(({ line }) => line ?? []),
      undecided,
      expired: without.length - undecided,
      readUntil: isDone ? until : after.receivedAt,
    };
    if (isDone) return;
  }
}

// A day whose events were all dropped takes no page to be known.
async function countDay(pool: ArchivePool, { tenant, since, until }: BacktestRange): Promise<BacktestPage> {
  const [counted] = await pool.query<{ undecided: number; expired: number }>(COUNT, [
    tenant,
    new Date(since),
    new Date(until),
  ]);
  return { lines: [], undecided: 0, expired: 0, ...counted, readUntil: until };
}

function unixMs(time: string): string {
  return `(extract(epoch FROM ${time}) * 1000)::bigint`;
}
