import { maintainArchive } from "@assay/archive";
import { migrateArchive } from "@assay/archive/migrate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PGliteServer, startPGlite } from "../../support/pglite-server.ts";
import { aVerdictRow, connectArchive, countOf, DAY_MS, idOf, NOON } from "./open-archive.ts";

describe("the archive on PGlite", () => {
  let server: PGliteServer;
  beforeAll(async () => {
    server = await startPGlite();
    await migrateArchive({ connectionString: server.url });
  }, 120_000);
  afterAll(() => server.stop());

  test("is up to date after one migration", async () => {
    expect(await migrateArchive({ connectionString: server.url })).toEqual({ applied: [] });
    expect(await migrateArchive({ connectionString: server.url, dryRun: true })).toEqual({ applied: [] });
  });

  test("answers each of many that ask at once what that one asked, also within transactions", async () => {
    const { pool } = connectArchive(server.url);
    const numbers = Array.from({ length: 100 }, (_, n) => n);
    const sqlOf = (n: number) => `SELECT $1::int + ${n} AS n`;
    const ask = async (n: number): Promise<unknown> =>
      n % 3 > 0
        ? await pool.query(sqlOf(n), [n])
        : await pool.transaction(async (client) => (await client.query(sqlOf(n), [n])).rows);
    expect(await Promise.all(numbers.map(ask))).toEqual(numbers.map((n) => [{ n: 2 * n }]));
  });

  test("keeps each row once though several write it, names the one it refuses, and finds it again", async () => {
    const archive = connectArchive(server.url);
    const rows = Array.from({ length: 60 }, (_, n) =>
      aVerdictRow({ received_at: NOON - n * DAY_MS, context: { user_id: "ann" }, event_id: "e1" }),
    );
    const others = [0, 20, 40].map((from) => connectArchive(server.url).writer.write(rows.slice(from)));
    const inserted = (await Promise.all(others)).reduce((sum, written) => sum + written.inserted, 0);
    expect(inserted).toBe(60);
    const poison = aVerdictRow({}, { pinned: "\0" });
    expect(await archive.writer.write([...rows, poison])).toMatchObject({ inserted: 0, rejected: [{ index: 60 }] });
    const page = await archive.reader.verdicts({ tenant: "0", userId: "ann", limit: 50 });
    expect(page.verdicts.map(({ verdict }) => verdict)).toEqual(rows.slice(0, 50).map(({ verdict }) => verdict));
    const rest = await archive.reader.verdicts({ tenant: "0", userId: "ann", limit: 50, cursor: page.cursor ?? "" });
    expect(rest.verdicts.map(({ id }) => id)).toEqual(rows.slice(50).map(idOf));
    expect(await archive.reader.event({ tenant: "0", id: "e1" })).toMatchObject({ event: '{"event_id":"e1"}' });
  });

  test("makes and drops days", async () => {
    const archive = connectArchive(server.url);
    await archive.writer.write([aVerdictRow({ received_at: NOON - 200 * DAY_MS })]);
    const { created, dropped } = await maintainArchive(archive.pool, NOON);
    expect(created).toContain("verdicts_20261128");
    expect(dropped).toContain("verdicts_20260511");
    expect(await countOf(archive, "verdicts")).toBe(60);
  });
});
