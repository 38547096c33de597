import type { Verdict } from "@assay/protocol";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { assay } from "../../support/assay-command.ts";
import { startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { aVerdictRow, idOf, NOON, openArchive } from "../archive/open-archive.ts";
import { startIngress } from "../ingress/open-ingress.ts";

const BLOCKED: Partial<Verdict> = {
  action: "block",
  score: 80,
  context: { flow: "login", user_id: "ann" },
  reasons: [{ rule: "bad_bot", action: "block", evidence: { bot: "bad" } }],
};

describe.skipIf(withoutPostgres)("assay verdicts", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  async function open(over: Readonly<Record<string, string>> = {}) {
    const archive = await openArchive(server);
    const door = await startIngress(inject("redisUrl"), { DATABASE_URL: archive.url });
    onTestFinished(() => door.close());
    const env = { ASSAY_URL: door.baseUrl, ASSAY_KEY: "shop-secret", ...over };
    return { archive, verdicts: (...args: string[]) => assay(["verdicts", ...args], { env }) };
  }

  test("list finds verdicts by filters, a line each", async () => {
    const { archive, verdicts } = await open();
    const found = aVerdictRow(BLOCKED);
    await archive.writer.write([found, aVerdictRow()]);
    const run = await verdicts("list", "--user-id", "ann", "--rule", "bad_bot", "--since", "2026-11-27");
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    expect(run.stdout).toMatch(
      new RegExp(`^2026-11-27T12:00:00\\.000Z {2}block +80 {2}\\w+ +login +${idOf(found)} +bad_bot\\n$`),
    );
    expect((await verdicts("list", "--user-id", "nobody")).stdout).toBe("The archive holds no such verdict.\n");
  });

  test("list turns pages by a cursor, and prints all of them with --ndjson", async () => {
    const { archive, verdicts } = await open();
    const rows = Array.from({ length: 5 }, (_, n) => aVerdictRow({ received_at: NOON - n }));
    await archive.writer.write(rows);
    const first = JSON.parse((await verdicts("list", "--limit", "3", "--json")).stdout);
    const second = JSON.parse((await verdicts("list", "--limit", "3", "--cursor", first.cursor, "--json")).stdout);
    expect([...first.verdicts, ...second.verdicts]).toEqual(rows.map(({ verdict }) => JSON.parse(verdict)));
    expect(second).not.toHaveProperty("cursor");
    expect((await verdicts("list", "--limit", "3")).stdout).toContain(`\n\nFor more: --cursor ${first.cursor}\n`);
    const { stdout } = await verdicts("list", "--limit", "2", "--ndjson");
    expect(stdout.trimEnd().split("\n")).toEqual(rows.map(({ verdict }) => verdict));
  });

  test("show and explain read one that Redis has forgotten", async () => {
    const { archive, verdicts } = await open();
    const row = aVerdictRow(BLOCKED);
    await archive.writer.write([row]);
    expect(JSON.parse((await verdicts("show", idOf(row))).stdout)).toEqual(JSON.parse(row.verdict));
    const { stdout, exitCode } = await verdicts("explain", idOf(row));
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/hit +bad_bot[^]*bad/) });
  });

  test.each([
    ["a filter that is none", ["list", "--action", "deny"], {}, 2, "allow, challenge, review, block"],
    ["a time that is none", ["list", "--since", "yesterday"], {}, 2, "how long ago"],
    ["an id that is none", ["show", "s_short"], {}, 2, "no submission id"],
    ["a key that is not known", ["list"], { ASSAY_KEY: "wrong" }, 3, "ASSAY_INGRESS_KEYS"],
    ["an ingress that is not there", ["list"], { ASSAY_URL: "http://127.0.0.1:1" }, 3, "could not be reached"],
    ["no address", ["list"], { ASSAY_URL: "" }, 2, "ASSAY_URL"],
    ["no web address", ["list"], { ASSAY_URL: "localhost:8080" }, 2, "no http:// or https:// address"],
    ["a verdict that nobody knows", ["show", `s_${"a".repeat(26)}`], {}, 3, "does not know"],
  ])("says what is wrong with %s", async (_, args, over, exitCode, why) => {
    const { verdicts } = await open(over);
    expect(await verdicts(...args)).toMatchObject({ exitCode, stdout: "", stderr: expect.stringContaining(why) });
  });
});

test("assay verdicts list says that an ingress has no archive", async () => {
  const door = await startIngress(inject("redisUrl"));
  onTestFinished(() => door.close());
  const env = { ASSAY_URL: door.baseUrl, ASSAY_KEY: "shop-secret" };
  const run = await assay(["verdicts", "list"], { env });
  expect(run).toMatchObject({ exitCode: 3, stderr: expect.stringContaining("DATABASE_URL") });
});
