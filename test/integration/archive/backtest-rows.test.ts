import { maintainArchive } from "@assay/archive";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { type Archive, aVerdictRow, connectArchive, DAY_MS, idOf, NOON, openArchive } from "./open-archive.ts";

describe.skipIf(withoutPostgres)("the archive's rows for a backtest", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  const LAST_WEEK = { tenant: "0", since: NOON - 7 * DAY_MS, until: NOON + 1 };

  async function pagesOf({ reader }: Archive, range = LAST_WEEK) {
    const pages = [];
    for await (const page of reader.backtestRows(range)) pages.push(page);
    return pages;
  }

  async function readAll(archive: Archive, range = LAST_WEEK) {
    const pages = await pagesOf(archive, range);
    const sum = (of: (page: (typeof pages)[number]) => number) => pages.reduce((all, page) => all + of(page), 0);
    const rows = pages.flatMap(({ lines }) => lines.map((line): Record<string, unknown> => JSON.parse(line)));
    return { rows, undecided: sum((page) => page.undecided), expired: sum((page) => page.expired) };
  }

  test("come in the order in which they were received, each once, over pages and days", async () => {
    const archive = await openArchive(server);
    // 1,300 rows on three days, of which eight each share their time.
    const rows = Array.from({ length: 1300 }, (_, n) =>
      aVerdictRow(
        { received_at: NOON - Math.floor(n / 8) * 1000 - (n % 3) * DAY_MS },
        { submission: JSON.stringify({ kind: "sealed", context: { reference: `n${n}` } }) },
      ),
    );
    await archive.writer.write(rows);
    const byTime = rows
      .map((row, n) => ({ n: `n${n}`, id: idOf(row), at: NOON - Math.floor(n / 8) * 1000 - (n % 3) * DAY_MS }))
      .toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
    const { rows: read } = await readAll(archive);
    expect(read.map(({ submission }) => submission)).toEqual(
      byTime.map(({ n }) => ({ kind: "sealed", context: { reference: n } })),
    );
    expect(read.map((row) => row["received_at"])).toEqual(byTime.map(({ at }) => at));
    const shares = (await pagesOf(archive)).map(({ readUntil }) => readUntil);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares.at(-1)).toBe(LAST_WEEK.until);
  });

  test("hold what was judged, what was said, and what became of it", async () => {
    const archive = await openArchive(server);
    const row = aVerdictRow(
      { checks: { stale: true, use_count: 2 } },
      { submission: '{"kind":"lookup","ruleset":"strict"}' },
    );
    const label = (id: string, told: { outcome?: string; label?: "fraud" }, occurredAt: number) =>
      ({ type: "label", tenant: "0", submissionId: idOf(row), id, occurredAt, toldAt: NOON, ...told }) as const;
    await archive.writer.write([
      row,
      label("o2", { label: "fraud" }, NOON + 2000),
      label("o1", { outcome: 'line\n"break"' }, NOON + 1000),
      { ...label("o3", { label: "fraud" }, NOON), tenant: "other" },
    ]);
    const { rows } = await readAll(archive);
    expect(rows).toEqual([
      {
        id: idOf(row),
        received_at: NOON,
        submission: { kind: "lookup", ruleset: "strict" },
        checks: { stale: true, use_count: 2 },
        outcomes: [
          { outcome: 'line\n"break"', label: null, occurred_at: NOON + 1000 },
          { outcome: null, label: "fraud", occurred_at: NOON + 2000 },
        ],
        event: Buffer.from(row.event ?? []).toString("hex"),
      },
    ]);
  });

  test("come whatever the texts of a verdict hold", async () => {
    const archive = await openArchive(server);
    const texts = ["\0", "\ud800", '"checks":{"stale":false}', '\\","checks":{"stale":false}', "{}"];
    const rows = texts.map((reference) => aVerdictRow({ context: { reference }, checks: { stale: true } }));
    await archive.writer.write(rows);
    const { rows: read } = await readAll(archive);
    expect(read.map(({ checks }) => checks)).toEqual(texts.map(() => ({ stale: true })));
  });

  test("are those of one tenant and time", async () => {
    const archive = await openArchive(server);
    const at = (received_at: number, tenant = "0") => aVerdictRow({ received_at }, { tenant });
    const inside = [at(NOON - 2000), at(NOON - 1)];
    await archive.writer.write([at(NOON - 2001), ...inside, at(NOON), at(NOON - 5, "other")]);
    const { rows } = await readAll(archive, { tenant: "0", since: NOON - 2000, until: NOON });
    expect(rows.map((row) => row["received_at"])).toEqual([NOON - 2000, NOON - 1]);
  });

  test("count what has no event: as undecided, or as no longer kept", async () => {
    const archive = await openArchive(server);
    const { event: _, ...bare } = aVerdictRow({ received_at: NOON - 3 });
    const undecided = { undecided: { code: "event_not_found" as const } };
    const { event: __, ...unknown } = aVerdictRow({ ...undecided, received_at: NOON - 2 });
    const named = aVerdictRow({ undecided: { code: "ruleset_not_found" }, received_at: NOON - 1 });
    await archive.writer.write([bare, unknown, named]);
    const { event: ___, ...old } = aVerdictRow({ ...undecided, received_at: NOON - 40 * DAY_MS });
    await archive.writer.write([old, aVerdictRow({ received_at: NOON - 40 * DAY_MS })]);
    await maintainArchive(archive.pool, NOON);
    const found = await readAll(archive, { ...LAST_WEEK, since: 0 });
    expect(found).toMatchObject({ rows: [{ received_at: NOON - 1 }], undecided: 2, expired: 2 });
  });

  test("hold up neither who writes nor who drops days", async () => {
    const archive = await openArchive(server);
    const write = (days: number, count: number) =>
      archive.writer.write(
        Array.from({ length: count }, (_, n) => aVerdictRow({ received_at: NOON - days * DAY_MS - n })),
      );
    await write(5, 700);
    await write(1, 700);
    const other = connectArchive(archive.url);
    let read = 0;
    for await (const { lines } of archive.reader.backtestRows(LAST_WEEK)) {
      read += lines.length;
      if (read !== lines.length) continue;
      await other.writer.write([aVerdictRow({ received_at: NOON })]);
      const kept = { retentionDays: 3, eventRetentionDays: 3 };
      expect(await maintainArchive(other.pool, NOON, kept)).toMatchObject({ dropped: [/./, /./], postponed: [] });
    }
    // The first page, perhaps the one that was asked for already, and the day that stayed.
    expect(read).toBeGreaterThanOrEqual(500 + 701);
  });

  test("are not looked for where the tables were never made", async () => {
    const archive = connectArchive(server.url);
    await expect(readAll(archive)).rejects.toMatchObject({ code: "archive_unavailable", message: /assay migrate/ });
  });
});
