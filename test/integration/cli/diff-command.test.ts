import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Event, type Verdict } from "@assay/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { writeRows } from "../../bench/diff/rows.ts";
import { assay } from "../../support/assay-command.ts";
import { anEvent } from "../../support/events.ts";
import { ROOT } from "../../support/snippets.ts";
import { openWorkerStack } from "../../support/worker-stack.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "assay-diff-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(file: string, text: string): string {
  writeFileSync(join(folder, file), text);
  return join(folder, file);
}

const COUNTING = [
  "ruleset: default",
  "counters:",
  "  logins: { key: context.user_id, window: 1h }",
  "  devices: { key: context.user_id, distinct: identification.visitor_id, window: 1h }",
  "rules:",
  "  - { id: often, when: counters.logins > 3, action: challenge }",
  "  - { id: spread, when: counters.devices > 2, action: review }",
].join("\n");

describe("assay rules diff", () => {
  test("finds the same on many threads as on one, in whatever order the rows stand", async () => {
    const [rows, mixed] = [join(folder, "rows.ndjson"), join(folder, "mixed.ndjson")];
    await writeRows(rows, 3000);
    await writeRows(mixed, 3000, (index) => (index * 1009) % 3000);
    const args = ["rules", "diff", "rulesets", "rulesets", "--ruleset", "account_takeover", "--json", "--from"];
    const run = async (file: string, threads: string) => {
      const { exitCode, stdout, stderr } = await assay([...args, file, "--threads", threads], { cwd: ROOT });
      expect([exitCode, stderr]).toEqual([0, ""]);
      return JSON.parse(stdout) as unknown;
    };
    const alone = await run(rows, "0");
    expect(alone).toMatchObject({ rows: 3000, flips: { count: 0 } });
    expect(await run(rows, "3")).toEqual(alone);
    expect(await run(mixed, "2")).toEqual(alone);
  });

  test("shows what is wrong with a ruleset that its threads load", async () => {
    const after = put("default.yaml", COUNTING.replace("counters.logins", "counters.lgins"));
    const rows = put("rows.ndjson", `${JSON.stringify(anEvent())}\n`);
    const args = ["rules", "diff", "rulesets", after, "--from", rows, "--threads", "2"];
    const { exitCode, stdout } = await assay(args, { cwd: ROOT });
    expect([exitCode, stdout]).toEqual([1, expect.stringContaining("Did you mean counters.logins?")]);
  });

  test("judges what workers have judged as they did, counters and all", async () => {
    const rulesets = put("default.yaml", COUNTING);
    const stack = await openWorkerStack({ env: { ASSAY_RULESETS: folder } });
    const rows: string[] = [];
    const verdicts: Verdict[] = [];
    try {
      await stack.runWorker();
      for (let n = 0; n < 16; n++) {
        const identification = { visitor_id: `visitor${n % 5}` };
        const event: Event = anEvent({ identification });
        const context = { user_id: n % 3 === 0 ? "anna" : "ben", flow: "login" };
        const verdict = await stack.verdict(await stack.submitSealed(event, { context }));
        const { received_at, checks } = verdict;
        rows.push(JSON.stringify({ event, context, received_at, checks }));
        verdicts.push(verdict);
      }
    } finally {
      await stack.stop();
    }
    const file = put("rows.ndjson", rows.join("\n"));
    const { stdout } = await assay(["rules", "diff", rulesets, rulesets, "--from", file, "--json"]);
    const tally = (action: string) => verdicts.filter((verdict) => verdict.action === action).length;
    const hits = (rule: string) =>
      verdicts.filter(({ reasons }) => reasons.some((reason) => reason.rule === rule)).length;
    expect(tally("review")).toBeGreaterThan(0);
    expect(JSON.parse(stdout)).toMatchObject({
      old: { actions: { allow: tally("allow"), challenge: tally("challenge"), review: tally("review") } },
      rules: expect.arrayContaining([
        expect.objectContaining({ rule: "often", old: expect.objectContaining({ hits: hits("often") }) }),
        expect.objectContaining({ rule: "spread", old: expect.objectContaining({ hits: hits("spread") }) }),
      ]),
    });
  });
});
