import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tellArchive, tombstoneHash } from "@assay/ledger";
import { createKeys } from "@assay/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assay } from "../../support/assay-command.ts";
import { startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { aPerson, namesOf } from "./person.ts";
import { openEraseStage } from "./stage.ts";

describe.skipIf(withoutPostgres)("the receipt of assay erase", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test("counts what was erased, names nobody, and is in the archive's audit", async () => {
    const stage = await openEraseStage(server);
    const anna = aPerson("198.51.100.77");
    const worker = await stage.startWorker();
    await stage.know(anna);
    await worker.stop();
    const { stdout } = await assay(["erase", "--user", anna.user, "--yes"], { env: stage.env });
    const hash = tombstoneHash(stage.hashKey, { kind: "user", value: anna.user });
    expect(stdout).toContain(`Erased user ${hash} of tenant 0 at `);
    expect(stdout).toMatch(/redis submissions +8\n/);
    expect(stdout).toMatch(/archive verdicts +6\n/);
    expect(stdout).toContain("Still found afterwards: 0.");
    expect(stdout).toContain("DELETE /v4/visitors/{visitor_id}");
    const rows = await stage.archive.pool.query<{ detail: string }>("SELECT * FROM assay.audit");
    expect(rows).toMatchObject([{ tenant: "0", act: "erased", actor: "assay erase", subject: `user:${hash}` }]);
    expect(JSON.parse(rows[0]?.detail ?? "")).toMatchObject({ redis: { submissions: 8 }, archive: { verdicts: 6 } });
    expect(namesOf(anna).filter((name) => `${stdout}${JSON.stringify(rows)}`.includes(name))).toEqual([]);
  });

  test("names the file of a list that holds the subject's value, and ends with 1", async () => {
    const stage = await openEraseStage(server);
    const folder = stage.env["ASSAY_RULESETS"] ?? "";
    mkdirSync(join(folder, "lists"));
    writeFileSync(join(folder, "lists/staff.txt"), "anna\nbert\n");
    const erase = (user: string) => assay(["erase", "--user", user, "--yes", "--json"], { env: stage.env });
    const { exitCode, stdout } = await erase("anna");
    expect({ exitCode, files: JSON.parse(stdout).files }).toEqual({
      exitCode: 1,
      files: [join(folder, "lists/staff.txt")],
    });
    expect(await erase("annabel")).toMatchObject({ exitCode: 0 });
  });

  test.each([
    ["--user", true],
    ["--reference", true],
    ["--visitor", false],
    ["--linked-id", false],
    ["--ip", false],
  ] as const)(
    "says of %s whether an event that comes later could be known (beyond reach: %s)",
    async (flag, isBeyond) => {
      const stage = await openEraseStage(server);
      const { stdout } = await assay(["erase", flag, "198.51.100.77", "--dry-run"], { env: stage.env });
      expect(stdout.includes("as no event names a user or a reference")).toBe(isBeyond);
    },
  );

  test("is given for no part alone: who has an archive must name it", async () => {
    const stage = await openEraseStage(server);
    const { redis, prefix } = stage.stack;
    const { DATABASE_URL: _, ...env } = stage.env;
    const erase = () => assay(["erase", "--user", "anna", "--yes"], { env });
    await tellArchive(redis, prefix, "0", 1024);
    expect(await erase()).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("set DATABASE_URL") });
    await tellArchive(redis, prefix, "0", undefined);
    expect(await erase()).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("No archive") });
  });

  test("is of one tenant alone", async () => {
    const stage = await openEraseStage(server);
    const { redis, prefix } = stage.stack;
    const other = createKeys({ prefix, tenant: "other" });
    for (const keys of [stage.stack.keys, other]) {
      await redis.hset(
        keys.record("s_1"),
        "m",
        JSON.stringify({ kind: "lookup", context: { user_id: "anna" } }),
        "s",
        "1-1",
      );
    }
    await assay(["erase", "--user", "anna", "--yes", "--tenant", "other"], { env: stage.env });
    expect(await redis.exists(other.record("s_1"))).toBe(0);
    expect(await redis.exists(stage.stack.keys.record("s_1"))).toBe(1);
  });
});
