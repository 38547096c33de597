import { mkdtempSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assay } from "../../support/assay-command.ts";
import { startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { aPerson } from "./person.ts";
import { openEraseStage } from "./stage.ts";

describe.skipIf(withoutPostgres)("assay export", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test("prints what both stores know of somebody, one thing a line, and nothing of anybody else", async () => {
    const stage = await openEraseStage(server);
    const [anna, bert] = [aPerson("198.51.100.77"), aPerson("198.51.100.88")];
    const worker = await stage.startWorker();
    const [ids] = await Promise.all([stage.know(anna), stage.know(bert)]);
    await worker.stop();
    const { exitCode, stdout, stderr } = await assay(["export", "--visitor", anna.visitor], { env: stage.env });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const things: { type: string; id: string }[] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(new Set(things.map(({ type }) => type))).toEqual(new Set(["submission", "verdict", "event", "outcome"]));
    for (const id of ids) expect(things.filter((one) => one.id === id && one.type === "verdict")).toHaveLength(1);
    expect(stdout).toContain(anna.user);
    for (const other of [bert.user, bert.visitor, bert.ip]) expect(stdout).not.toContain(other);
  });

  test("writes a new file that its owner alone can read, and overwrites none", async () => {
    const stage = await openEraseStage(server);
    const out = join(mkdtempSync(join(tmpdir(), "assay-export-")), "anna.ndjson");
    const run = () => assay(["export", "--user", "anna", "--out", out], { env: stage.env });
    expect(await run()).toMatchObject({ exitCode: 0, stdout: `Wrote 0 lines to ${out}.\n` });
    expect(statSync(out).mode & 0o777).toBe(0o600);
    expect(readFileSync(out, "utf8")).toBe("");
    expect(await run()).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("EEXIST") });
  });
});

describe("assay erase and assay export", () => {
  const env = { REDIS_URL: "redis://127.0.0.1:1" };

  test.each([
    [["erase", "--yes"], 2, "Name one subject"],
    [["erase", "--yes", "--user", "a", "--ip", "203.0.113.7"], 2, "Name one subject"],
    [["erase", "--yes", "--ip", "203.0.113"], 2, "--ip takes one address"],
    [["erase", "--user", "a"], 2, "--dry-run"],
    [["erase", "--yes", "--user", "a", "--tenant", "A B"], 2, "no name of a tenant"],
    [["erase", "--yes", "--user", "a"], 3, "Redis could not be reached"],
    [["export", "--user", "a"], 3, "Redis could not be reached"],
    [["export"], 2, "Name one subject"],
  ])("%j ends with %i and says why", async (args, exitCode, why) => {
    expect(await assay(args, { env })).toMatchObject({ exitCode, stdout: "", stderr: expect.stringContaining(why) });
  });
});
