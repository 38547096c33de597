import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { type ArchiveRow, maintainArchive } from "@assay/archive";
import { type Checks, submissionId } from "@assay/protocol";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { rowAt, START_MS } from "../../bench/diff/rows.ts";
import { assay } from "../../support/assay-command.ts";
import { createDatabase, startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { aVerdictRow, DAY_MS, NOON, openArchive } from "../archive/open-archive.ts";

const SINCE = new Date(START_MS).toISOString();
const COUNT = 1500;

/** Two rulesets; rows name the second. */
const RULES = [
  "ruleset: default",
  "settings: { max_event_age: 250ms }",
  "counters: { logins: { key: context.user_id, where: '!checks.stale', window: 1h } }",
  "rules:",
  "  - { id: often, when: counters.logins > 2, action: review }",
  '  - { id: bad_bot, when: bot == "bad", action: block }',
].join("\n");

/** Rows of logins, with all that a row may say. */
function logins() {
  return Array.from({ length: COUNT }, (_, index) => {
    const { label, outcomes, received_at, ...row } = rowAt(index);
    const told = label === undefined ? outcomes : [...outcomes, { label, occurred_at: received_at + 2000 }];
    // On two days. Some come by webhook, name their ruleset, or say nothing of who presented them.
    const later = index < COUNT / 2 ? 0 : DAY_MS;
    return {
      ...row,
      ...(index % 11 === 0 ? { kind: "webhook", context: {} } : { kind: "sealed" }),
      ...(index % 13 === 0 ? { ruleset: "strict" } : {}),
      received_at: received_at + later,
      outcomes: told.map((one) => ({ ...one, occurred_at: one.occurred_at + later })),
    };
  });
}

/** The same as they stand in an archive. */
function archived({ event, checks, received_at, outcomes, kind, context, ...more }: ReturnType<typeof logins>[number]) {
  const id = submissionId("0", "shop", `${received_at}`);
  const submission = { kind, ...(Object.keys(context).length === 0 ? {} : { context }), ...more };
  const verdict = { id, received_at, decided_at: received_at + 20, checks: checks satisfies Checks };
  const labels = outcomes.map((told, n): ArchiveRow => {
    const { occurred_at: occurredAt, ...rest } = told;
    return { type: "label", tenant: "0", id: `${id}.${n}`, submissionId: id, occurredAt, toldAt: NOON, ...rest };
  });
  const row = { submission: JSON.stringify(submission), event: deflateRawSync(JSON.stringify(event)) };
  return [aVerdictRow(verdict, row), ...labels];
}

describe.skipIf(withoutPostgres)("assay rules diff --since", () => {
  let server: PrivatePostgres;
  let folder = "";
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "assay-diff-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** A folder of rulesets; returns its path. */
  function put(name: string, rules: string): string {
    const path = join(folder, name);
    mkdirSync(path);
    writeFileSync(join(path, "default.yaml"), rules);
    writeFileSync(join(path, "strict.yaml"), rules.replace("ruleset: default", "ruleset: strict"));
    return path;
  }

  const diff = async (args: readonly string[], env: Record<string, string> = {}) =>
    await assay(["rules", "diff", ...args], { env });

  test("finds in the archive what it finds in the same rows of a file", async () => {
    const { url, writer } = await openArchive(server);
    const rows = logins();
    await writer.write(rows.flatMap(archived));
    const file = join(folder, "rows.ndjson");
    writeFileSync(file, rows.map((row) => JSON.stringify(row)).join("\n"));
    const [before, after] = [put("before", RULES), put("after", RULES.replace("250ms", "350ms").replace("> 2", "> 3"))];
    for (const threads of ["0", "2"]) {
      const options = ["--json", "--examples", "full", "--threads", threads];
      const expected = await diff([before, after, "--from", file, ...options]);
      const found = await diff([before, after, "--since", SINCE, ...options], { DATABASE_URL: url });
      expect(found).toEqual(expected);
      expect(JSON.parse(found.stdout)).toMatchObject({
        rows: COUNT,
        bad_rows: 0,
        left_out: { undecided: 0, expired: 0 },
      });
    }
  });

  test("says what it left out, and takes the rows of one tenant before a time", async () => {
    const { url, pool, writer } = await openArchive(server);
    const [first = [], second = [], third = []] = logins().slice(1, 4).map(archived);
    const { event: _, ...none } = aVerdictRow({ undecided: { code: "event_not_found" }, received_at: START_MS + 1 });
    const old = aVerdictRow({ received_at: START_MS - 40 * DAY_MS });
    await writer.write([...first, ...second, ...third, none, old, { ...none, tenant: "shop" }]);
    await maintainArchive(pool, START_MS);
    const [env, rules] = [{ DATABASE_URL: url }, put("rules", RULES)];
    const until = new Date(logins()[3]?.received_at ?? 0).toISOString();
    const run = async (...args: string[]) => await diff([rules, rules, "--since", "2025-01-01", ...args], env);
    const { stdout } = await run("--until", until);
    expect(stdout).toContain("2 rows from ");
    expect(stdout).toContain("Verdicts left out, as they were undecided and have no event: 1.");
    expect(stdout).toContain(
      "Verdicts left out, as their events are kept no longer than 30 days, or ASSAY_EVENT_RETENTION_DAYS: 1.",
    );
    expect(JSON.parse((await run("--json")).stdout)).toMatchObject({ rows: 3, left_out: { undecided: 1, expired: 1 } });
    expect(await run("--tenant", "shop")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("the archive holds no row; undecided: 1, events no longer kept: 0."),
    });
  });

  test("counts nothing of what was judged once more, as workers do not", async () => {
    const { url, writer } = await openArchive(server);
    const [login] = logins();
    const rows = Array.from({ length: 5 }, (_, n) => {
      const received_at = START_MS + n * 10;
      const id = `${submissionId("0", "shop", `${n}`)}${n < 3 ? "~1" : ""}`;
      const event = { ...login?.event, bot: "not_detected", event_id: `e${n}`, timestamp: received_at - 5 };
      const handedIn = { kind: "sealed", context: { user_id: "u" } };
      const row = { submission: JSON.stringify(handedIn), event: deflateRawSync(JSON.stringify(event)) };
      return aVerdictRow({ id, received_at, checks: { stale: false } }, row);
    });
    await writer.write(rows);
    const rules = put("rules", RULES.replace("250ms", "30m"));
    const found = await diff([rules, rules, "--since", SINCE, "--json"], { DATABASE_URL: url });
    // Two count, and a third would have been reviewed.
    expect(JSON.parse(found.stdout)).toMatchObject({ rows: 5, old: { actions: { allow: 5 } } });
  });

  test("says what is wrong with the archive, and no password", async () => {
    const rules = put("rules", RULES);
    const run = async (url: string) =>
      await diff([rules, rules, "--since", "7d"], url === "" ? {} : { DATABASE_URL: url });
    expect(await run("")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("Set DATABASE_URL") });
    const dead = await run("postgres://ann:hunter2@127.0.0.1:1/x");
    expect(dead).toMatchObject({ exitCode: 3, stderr: expect.stringContaining("ECONNREFUSED") });
    expect(dead.stderr).not.toContain("hunter2");
    const unmade = await run(await createDatabase(server));
    expect(unmade).toMatchObject({ exitCode: 3, stderr: expect.stringContaining("assay migrate") });
  });
});
