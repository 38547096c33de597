import { migrateArchive } from "@assay/archive/migrate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, createDatabase, startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { aVerdictRow, connectArchive, NOON, openArchive } from "./open-archive.ts";

const MIGRATIONS = ["0001_archive", "0002_stream-id", "0003_erasures"];

describe.skipIf(withoutPostgres)("migrateArchive", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  const tablesOf = async (url: string) => {
    const rows = await ask(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'assay' ORDER BY 1");
    return rows.map(({ tablename }) => tablename);
  };

  test("makes the tables, and has nothing left to do the second time", async () => {
    const connectionString = await createDatabase(server);
    expect(await migrateArchive({ connectionString })).toEqual({ applied: MIGRATIONS });
    expect(await migrateArchive({ connectionString })).toEqual({ applied: [] });
    expect(await tablesOf(connectionString)).toEqual([
      "audit",
      "erasures",
      "events",
      "labels",
      "migrations",
      "rulesets",
      "verdicts",
    ]);
  });

  test("applies each migration once, though four processes begin together", async () => {
    const connectionString = await createDatabase(server);
    const all = await Promise.all(Array.from({ length: 4 }, () => migrateArchive({ connectionString })));
    expect(all.flatMap(({ applied }) => applied)).toEqual(MIGRATIONS);
  });

  test("says in a dry run what it would apply, and changes nothing", async () => {
    const connectionString = await createDatabase(server);
    expect(await migrateArchive({ connectionString, dryRun: true })).toEqual({ applied: MIGRATIONS });
    expect(await tablesOf(connectionString)).toEqual([]);
  });

  test("says that Postgres cannot be reached, and keeps the password to itself", async () => {
    const connectionString = "postgres://assay:hunter2@127.0.0.1:1/archive";
    const error: unknown = await migrateArchive({ connectionString }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "archive_unavailable", message: expect.stringContaining("ECONNREFUSED") });
    expect(JSON.stringify(error)).not.toContain("hunter2");
  });

  test("is what a writer asks for that finds no tables", async () => {
    const { writer } = connectArchive(await createDatabase(server));
    await expect(writer.write([aVerdictRow()])).rejects.toMatchObject({
      code: "archive_unavailable",
      message: expect.stringContaining("assay migrate"),
    });
  });

  test.each(["UPDATE assay.audit SET actor = 'me'", "DELETE FROM assay.audit", "TRUNCATE assay.audit"])(
    "makes an audit that refuses %s",
    async (change) => {
      const { writer, pool } = await openArchive(server);
      await writer.write([
        {
          type: "audit",
          tenant: "0",
          id: "1",
          at: NOON,
          actor: "ann",
          act: "ruleset.published",
          subject: "default",
          detail: {},
        },
      ]);
      await expect(pool.query(change)).rejects.toMatchObject({ sqlState: "42501" });
      expect(await pool.query("SELECT actor FROM assay.audit")).toEqual([{ actor: "ann" }]);
    },
  );
});
