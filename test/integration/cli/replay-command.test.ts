import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { assay } from "../../support/assay-command.ts";
import { startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { blockOf, readDocument } from "../../support/snippets.ts";
import { startIngress } from "../ingress/open-ingress.ts";
import { openReplayStage } from "./replay-stage.ts";

describe.skipIf(withoutPostgres)("assay verdicts replay", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test.each(["enforce", "observe"] as const)(
    "makes what workers published in mode %s once more, byte by byte",
    async (mode) => {
      const { verdicts, replay } = await openReplayStage(server, mode);
      const all = [...verdicts.values()];
      // Otherwise less would be proven than it seems.
      expect(new Set(all.map(({ kind }) => kind))).toEqual(new Set(["sealed", "lookup", "webhook", "backfill"]));
      expect(verdicts.get("presented again")).toMatchObject({ checks: { reused_elsewhere: true, use_count: 2 } });
      expect(verdicts.get("stored")).toMatchObject({ event_source: "stored", candidate: { rules: ["frequent"] } });
      expect(verdicts.get("sealed")).toMatchObject({ degraded: expect.arrayContaining(["counter_warming:seen"]) });
      expect(verdicts.get("from a clock ahead")).toMatchObject({ degraded: expect.arrayContaining(["clock_skew"]) });
      expect(verdicts.get("an unknown ruleset")).toMatchObject({ undecided: { code: "ruleset_not_found" } });
      const { exitCode, stdout } = await replay("--since", "1d", "--json");
      expect(JSON.parse(stdout)).toEqual({
        replayed: all.length,
        identical: all.length,
        differs: 0,
        other_engine: 0,
        gone: 0,
        verdicts: [],
      });
      expect(exitCode).toBe(0);
    },
  );

  test("says what differs, by which engine, and what is no longer kept", async () => {
    const { archive, verdicts, replay } = await openReplayStage(server, "enforce");
    const idOf = (name: string) => verdicts.get(name)?.id ?? "";
    const [same, changed, older, gone] = ["sealed", "webhook", "backfill", "redrive"].map(idOf);
    const change = (id: string | undefined, from: string, to: string) =>
      archive.pool.query("UPDATE assay.verdicts SET body = replace(body, $2, $3) WHERE id = $1", [id, from, to]);
    await change(changed, '"action":"block"', '"action":"allow"');
    await change(older, "assay-rules/1", "assay-rules/0");
    await archive.pool.query("DELETE FROM assay.events WHERE id = $1", [gone]);

    expect(await replay(String(same))).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("identical") });
    const differing = await replay(String(changed));
    expect(differing).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("differs") });
    expect(differing.stdout).toContain('\n  action  was "allow", is "block"\n');
    const other = await replay(String(older));
    expect(other).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("other engine") });
    expect(other.stdout).toContain("assay-rules/0; this version is assay-rules/1, and says the same");
    expect(await replay(String(gone))).toMatchObject({
      exitCode: 3,
      stdout: expect.stringContaining("its submission and event are no longer in the archive"),
    });

    const whole = await replay("--since", "1d", "--sample", "1000");
    expect(whole.exitCode).toBe(1);
    expect(whole.stdout).toContain(
      `${verdicts.size - 3} verdicts identical, 1 not, 1 by another engine, 1 no longer replayable.\n`,
    );
    const few = JSON.parse((await replay("--since", "1d", "--sample", "2", "--json")).stdout);
    expect(few).toMatchObject({ replayed: 2 });

    await archive.pool.query("DELETE FROM assay.rulesets WHERE name = 'next'");
    expect(await replay(String(same))).toMatchObject({ exitCode: 3, stdout: expect.stringContaining("the ruleset") });
  });

  test("is shown in README behind finding a verdict and its reasons", async () => {
    const { archive, verdicts } = await openReplayStage(server, "enforce");
    const door = await startIngress(inject("redisUrl"), { DATABASE_URL: archive.url });
    onTestFinished(() => door.close());
    const env = { ASSAY_URL: door.baseUrl, ASSAY_KEY: "shop-secret", DATABASE_URL: archive.url };
    const id = verdicts.get("sealed")?.id ?? "";
    const lines = blockOf(readDocument("README.md"), "asking").trim().split("\n");
    const said: string[] = [];
    for (const line of lines) {
      const [npx, command, ...args] = line.replace("customer-42", "ann").replace("s_your-id", id).split(" ");
      expect([npx, command]).toEqual(["npx", "assay"]);
      const { exitCode, stdout, stderr } = await assay(args, { env });
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      said.push(stdout);
    }
    expect(said).toEqual([
      expect.stringContaining(id),
      expect.stringMatching(/hit +young/),
      `${verdicts.size} verdicts identical.\n`,
    ]);
  });

  test.each([
    [[], 2, "--since 1d"],
    [["s_short"], 2, "is no submission id"],
    [[`s_${"a".repeat(26)}`, "--since", "1d"], 2, "not both"],
    [["--since", "yesterday"], 2, "how long ago"],
    [["--since", "1d", "--sample", "some"], 2, "--sample some"],
    [[`s_${"a".repeat(26)}`], 3, "ECONNREFUSED"],
  ])("refuses %j with %i", async (args, exitCode, why) => {
    const env = { DATABASE_URL: "postgres://ann:hunter2@127.0.0.1:1/x" };
    const run = await assay(["verdicts", "replay", ...args], { env });
    expect(run).toMatchObject({ exitCode, stderr: expect.stringContaining(why) });
    expect(run.stderr).not.toContain("hunter2");
  });
});
