import { describe, expect, test } from "vitest";
import { assay, assayJson, pipe, put, useFolder } from "../test/command-line.ts";
import { type Fields, RECEIVED_AT, rows } from "../test/rows.ts";

useFolder();

const COUNTED = [
  "counters:",
  "  logins: { key: context.user_id, window: 1h }",
  "  failed: { on: outcome, key: context.user_id, where: 'outcome == \"login_failed\"', window: 1h }",
].join("\n");

const COUNTING = `ruleset: default\n${COUNTED}\nrules:\n  - { id: often, when: counters.logins > 2, action: challenge }`;
const FAILING = `${COUNTING}\n  - { id: guessing, when: counters.failed >= 2, action: block }`;

/** A login of Anna's. */
const anna = (more: Fields = {}): readonly [Fields, Fields] => [{}, { context: { user_id: "anna" }, ...more }];
const failedAt = (second: number) => ({
  outcomes: [{ outcome: "login_failed", occurred_at: RECEIVED_AT + 1000 * second + 500 }],
});

describe("assay rules diff, counters", () => {
  const COUNTED_ROWS = rows(anna(failedAt(0)), anna(failedAt(1)), anna(), anna({ checks: { reused: true } }), anna());

  async function counted(lines: string, from?: string) {
    const [before, after] = [put("old/default.yaml", COUNTING), put("new/default.yaml", FAILING)];
    const file = put("rows.ndjson", lines);
    return await assay("rules", "diff", before, after, "--from", from ?? file, "--json");
  }

  test("are replayed in the order of rows, with what had become of them by then", async () => {
    const { out } = await counted(COUNTED_ROWS);
    const json: unknown = JSON.parse(out);
    // The third row is Anna's third login, after two that failed. The replay is told the values, and is not counted.
    expect(json).toMatchObject({
      old: { actions: { allow: 2, challenge: 3 } },
      new: { actions: { allow: 2, challenge: 0, block: 3 } },
      flips: { count: 3 },
    });
  });

  test("do not hang on the order of a file's lines", async () => {
    const expected = await counted(COUNTED_ROWS);
    const lines = COUNTED_ROWS.trim().split("\n");
    expect(await counted(`${lines.toReversed().join("\n")}\n`)).toEqual(expected);
    expect(await counted([lines[3], lines[0], lines[4], lines[2], lines[1]].join("\n"))).toEqual(expected);
  });

  test("name bad lines by their numbers though the file is read in another order", async () => {
    const { out } = await counted(`{\n${COUNTED_ROWS.trim().split("\n").toReversed().join("\n{\n")}\n`);
    const lines = [1, 3, 5, 7, 9].map((line) => ({ line }));
    expect(JSON.parse(out)).toMatchObject({ rows: 5, bad_rows: 5, bad_lines: lines });
  });

  test("end with 2 where the order cannot be mended", async () => {
    pipe(Buffer.from(COUNTED_ROWS.trim().split("\n").toReversed().join("\n")));
    const { exitCode, out } = await counted(COUNTED_ROWS, "-");
    expect([exitCode, out]).toEqual([2, expect.stringContaining("Sort it, or give a plain file.")]);
  });

  test("say where they were too young", async () => {
    const { out } = await counted(COUNTED_ROWS);
    expect(JSON.parse(out)).toMatchObject({
      old: {
        counters_warming: [
          { ruleset: "default", counter: "failed", rows: 5 },
          { counter: "logins", rows: 5 },
        ],
      },
    });
  });

  test("count for each ruleset what it decides, though it is the same on both sides", async () => {
    const flows = { old: "login", new: "signup" } as const;
    for (const side of ["old", "new"] as const) {
      put(`${side}/default.yaml`, "ruleset: default");
      put(`${side}/other.yaml`, COUNTING.replace("ruleset: default", "ruleset: other"));
      put(`${side}/_routes.yaml`, `${flows[side]}: other\npay: other\n`);
    }
    const login = anna({ context: { user_id: "anna", flow: "login" } });
    const pay = anna({ context: { user_id: "anna", flow: "pay" } });
    const file = put("rows.ndjson", rows(login, login, pay, pay));
    const folder = file.replace("/rows.ndjson", "");
    const json = await assayJson("rules", "diff", `${folder}/old`, `${folder}/new`, "--from", file);
    expect(json).toMatchObject({ old: { actions: { challenge: 2 } }, new: { actions: { challenge: 0 } } });
  });
});
