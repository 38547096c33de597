import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { ask, startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { startIngress } from "../ingress/open-ingress.ts";
import { openArchiveStage } from "./archive-stage.ts";

describe.skipIf(withoutPostgres)("DATABASE_URL_FILE", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
    await ask(server.url, "CREATE ROLE keeper LOGIN SUPERUSER PASSWORD 'first'");
    await askForPassword(server, "keeper");
  });
  afterAll(() => server.stop());

  test("is read again for each connection: a rotated password needs no restart", async () => {
    const folder = mkdtempSync(join(tmpdir(), "assay-rotated-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "database-url");
    const stage = await openArchiveStage(server, { DATABASE_URL: "", DATABASE_URL_FILE: file });
    await stage.migrate();
    const addressWith = (password: string) => {
      const address = new URL(stage.url);
      [address.username, address.password] = ["keeper", password];
      return address.href;
    };
    writeFileSync(file, addressWith("first"));
    await stage.run({ ASSAY_WORKER_ROLES: "score,archive" });
    const { prefix } = stage.stack;
    const ingress = await startIngress(inject("redisUrl"), { ASSAY_PREFIX: prefix, DATABASE_URL_FILE: file });
    onTestFinished(() => ingress.close());
    const isServed = async (count: number) => {
      expect(await stage.archived()).toHaveLength(count);
      expect(await ingress.read("/v1/verdicts")).toMatchObject({ status: 200, json: { verdicts: { length: count } } });
    };
    await stage.submit(5);
    await eventually(() => isServed(5));

    // The old one opens nothing from here on, and what is in the file is not usable at first.
    await ask(stage.url, "ALTER ROLE keeper PASSWORD 'second'");
    await expect(ask(addressWith("first"), "SELECT 1")).rejects.toThrow("password authentication failed");
    writeFileSync(file, "");
    await ask(stage.url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'keeper'");
    await stage.submit(5);
    expect((await ingress.read("/v1/verdicts")).status).toBe(503);
    writeFileSync(file, addressWith("second"));
    await eventually(() => isServed(10), { timeoutMs: 20_000 });
  });
});

/** Has a role prove itself by its password, which no other must. */
async function askForPassword({ url }: PrivatePostgres, role: string): Promise<void> {
  const [{ hba_file: file } = {}] = await ask(url, "SHOW hba_file");
  const lines = [`host all ${role} all scram-sha-256`, "host all all all trust"];
  await ask(url, `COPY (SELECT unnest(ARRAY['${lines.join("','")}'])) TO '${String(file)}'`);
  await ask(url, "SELECT pg_reload_conf()");
  await eventually(async () => {
    const [{ count } = {}] = await ask(
      url,
      "SELECT count(*)::int FROM pg_hba_file_rules WHERE auth_method LIKE 'scram%'",
    );
    return count === 1;
  });
}
