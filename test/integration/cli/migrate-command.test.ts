import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assay } from "../../support/assay-command.ts";
import { createDatabase, startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";

describe.skipIf(withoutPostgres)("assay migrate", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test("says what it would do, does it, and finds nothing left to do", async () => {
    const env = { DATABASE_URL: await createDatabase(server) };
    const said = async (...args: string[]) => (await assay(["migrate", ...args], { env })).stdout;
    expect(await said("--dry-run")).toBe(
      "Would apply 3 migrations:\n  0001_archive\n  0002_stream-id\n  0003_erasures\n",
    );
    expect(await said()).toBe("Applied 3 migrations:\n  0001_archive\n  0002_stream-id\n  0003_erasures\n");
    expect(await said()).toBe("The archive is up to date.\n");
    expect(JSON.parse(await said("--json"))).toEqual({ applied: [], dry_run: false });
  });

  test("takes the database from a file", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "assay-migrate-")), "url");
    writeFileSync(file, `${await createDatabase(server)}\n`);
    expect(await assay(["migrate"], { env: { DATABASE_URL_FILE: file } })).toMatchObject({ exitCode: 0, stderr: "" });
  });

  test.each([
    [{}, 2, "Set DATABASE_URL"],
    [{ DATABASE_URL: "mysql://ann:hunter2@localhost/x" }, 2, "Set DATABASE_URL"],
    [{ DATABASE_URL: "postgres://ann:hunter2@127.0.0.1:1/x" }, 3, "ECONNREFUSED"],
    [{ DATABASE_URL_FILE: "/nowhere/url" }, 2, "/nowhere/url"],
  ])("says what is wrong with %j, and no password", async (env, exitCode, why) => {
    const run = await assay(["migrate"], { env });
    expect(run).toMatchObject({ exitCode, stdout: "", stderr: expect.stringContaining(why) });
    expect(run.stderr).not.toContain("hunter2");
  });
});
