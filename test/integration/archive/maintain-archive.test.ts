import { maintainArchive, type Retention } from "@assay/archive";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { type Archive, aVerdictRow, countOf, DAY_MS, NOON, openArchive } from "./open-archive.ts";

/** The days that have a partition, oldest first. */
async function daysOf({ pool }: Archive, table: string): Promise<string[]> {
  const rows = await pool.query<{ name: string }>(
    "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = to_regclass($1) ORDER BY 1",
    [`assay.${table}`],
  );
  return rows.map(({ name }) => name.slice(-8));
}

/** Archives one verdict of each day, given as 20261127, at its last millisecond. */
async function fill({ writer }: Archive, days: readonly string[]): Promise<void> {
  const lastMs = (day: string) => Date.parse(day.replace(/(....)(..)(..)/, "$1-$2-$3")) + DAY_MS - 1;
  await writer.write(days.map((day) => aVerdictRow({ received_at: lastMs(day) })));
}

interface Case {
  readonly name: string;
  readonly now: string;
  readonly retention?: Retention;
  readonly days: readonly string[];
  readonly verdictsKept: readonly string[];
  readonly eventsKept: readonly string[];
}

const cases: readonly Case[] = [
  {
    name: "keeps verdicts for 90 days and events for 30 by default",
    now: "2026-11-27T12:00:00Z",
    days: ["20260827", "20260828", "20260829", "20261027", "20261028", "20261126"],
    verdictsKept: ["20260829", "20261027", "20261028", "20261126"],
    eventsKept: ["20261028", "20261126"],
  },
  {
    name: "drops a day at the moment when its last row is beyond its time",
    now: "2026-11-27T00:00:00.000Z",
    retention: { retentionDays: 2, eventRetentionDays: 1 },
    days: ["20261123", "20261124", "20261125", "20261126"],
    verdictsKept: ["20261125", "20261126"],
    eventsKept: ["20261126"],
  },
  {
    name: "drops it not a millisecond earlier",
    now: "2026-11-26T23:59:59.999Z",
    retention: { retentionDays: 2, eventRetentionDays: 1 },
    days: ["20261123", "20261124", "20261125", "20261126"],
    verdictsKept: ["20261124", "20261125", "20261126"],
    eventsKept: ["20261125", "20261126"],
  },
  {
    name: "knows leap days and the turn of a year",
    now: "2028-03-01T06:00:00Z",
    retention: { retentionDays: 61, eventRetentionDays: 1 },
    days: ["20271230", "20271231", "20280101", "20280228", "20280229"],
    verdictsKept: ["20271231", "20280101", "20280228", "20280229"],
    eventsKept: ["20280229"],
  },
  {
    name: "keeps nothing of yesterday when it is to keep nothing",
    now: "2026-11-27T12:00:00Z",
    retention: { retentionDays: 0, eventRetentionDays: 0 },
    days: ["20261126", "20261127"],
    verdictsKept: ["20261127"],
    eventsKept: ["20261127"],
  },
];

describe.skipIf(withoutPostgres)("maintainArchive", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test.each(cases)("$name", async ({ now, retention, days, verdictsKept, eventsKept }) => {
    const archive = await openArchive(server);
    await fill(archive, days);
    const before = new Date(now).toISOString().slice(0, 10).replaceAll("-", "");
    const maintained = await maintainArchive(archive.pool, Date.parse(now), retention);
    const kept = async (table: string) =>
      (await daysOf(archive, table)).filter((day) => day < before || days.includes(day));
    expect({ verdicts: await kept("verdicts"), events: await kept("events") }).toEqual({
      verdicts: verdictsKept,
      events: eventsKept,
    });
    expect([await countOf(archive, "verdicts"), await countOf(archive, "events")]).toEqual([
      verdictsKept.length,
      eventsKept.length,
    ]);
    expect(maintained.dropped).toHaveLength(2 * days.length - verdictsKept.length - eventsKept.length);
  });

  test("makes today's partitions and those of the seven days to come, once", async () => {
    const archive = await openArchive(server);
    const maintain = () => maintainArchive(archive.pool, NOON);
    const all = (await Promise.all([maintain(), maintain(), maintain()])).flatMap(({ created }) => created);
    expect(all.toSorted()).toEqual([...new Set(all)].toSorted());
    const days = Array.from({ length: 8 }, (_, n) =>
      new Date(NOON + n * DAY_MS).toISOString().slice(0, 10).replaceAll("-", ""),
    );
    expect([await daysOf(archive, "verdicts"), await daysOf(archive, "events")]).toEqual([days, days]);
  });

  test("gives new partitions every index of their table", async () => {
    const archive = await openArchive(server);
    await maintainArchive(archive.pool, NOON);
    const rows = await archive.pool.query<{ tablename: string; n: number }>(
      `SELECT tablename, count(*)::int AS n FROM pg_indexes WHERE schemaname = 'assay'
       AND tablename IN ('verdicts', 'verdicts_20261127', 'events', 'events_20261127') GROUP BY 1 ORDER BY 1`,
    );
    expect(Object.fromEntries(rows.map(({ tablename, n }) => [tablename, n]))).toEqual({
      events: 2,
      events_20261127: 2,
      verdicts: 10,
      verdicts_20261127: 10,
    });
  });

  test("postpones a day that somebody reads, and holds up nobody for it", async () => {
    const archive = await openArchive(server);
    await fill(archive, ["20260101"]);
    await archive.pool.transaction(async (client) => {
      await client.query("SELECT count(*) FROM assay.verdicts");
      expect(await maintainArchive(archive.pool, NOON)).toMatchObject({
        postponed: ["verdicts_20260101"],
        dropped: ["events_20260101"],
      });
    });
    expect(await maintainArchive(archive.pool, NOON)).toMatchObject({ postponed: [], dropped: ["verdicts_20260101"] });
  });

  test("deletes labels with the verdicts' retention", async () => {
    const archive = await openArchive(server);
    const label = { type: "label", tenant: "0", submissionId: "s_1", outcome: "paid", occurredAt: NOON } as const;
    const ages = [89, 90, 91];
    await archive.writer.write(ages.map((age) => ({ ...label, id: `o_${age}`, toldAt: NOON - age * DAY_MS })));
    expect(await maintainArchive(archive.pool, NOON)).toMatchObject({ deletedLabels: 2 });
    expect((await archive.reader.labels({ tenant: "0", id: "s_1" })).map(({ id }) => id)).toEqual(["o_89"]);
  });
});
