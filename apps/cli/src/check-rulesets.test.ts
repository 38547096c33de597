import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { assay, assayJson, assayPainted, DEFAULT, FAULTY, put, useFolder } from "../test/command-line.ts";

useFolder();

describe("assay rules check", () => {
  test("says that all is well", async () => {
    put("default.yaml", DEFAULT);
    expect(await assay("rules", "check")).toEqual({ exitCode: 0, out: "1 ruleset checked: no faults.\n", err: "" });
  });

  test("shows a fault as compilers do, with its place, line and caret", async () => {
    put("default.yaml", DEFAULT);
    put("other.yaml", FAULTY);
    const { exitCode, out } = await assay("rules", "check");
    expect(exitCode).toBe(1);
    expect(out).toBe(
      [
        "DIR/other.yaml:3:20: error: bott is not a known name. Did you mean bot?",
        '  3 |   - { id: a, when: bott == "bad", action: block }',
        "    |                    ^",
        "",
        "1 error.",
        "",
      ].join("\n"),
    );
  });

  test("gives faults to programs", async () => {
    put("default.yaml", DEFAULT);
    put("other.yaml", FAULTY);
    expect(await assayJson("rules", "check")).toEqual({
      rulesets: [],
      faults: [
        {
          severity: "error",
          file: "DIR/other.yaml",
          line: 3,
          column: 20,
          message: "bott is not a known name. Did you mean bot?",
        },
      ],
    });
  });

  test("checks one file with what it includes, whatever stands beside it", async () => {
    put("_shared.yaml", 'rules:\n  - { id: shared, when: bot == "bad", action: block }\n');
    const other = put("other.yaml", FAULTY);
    const file = put("default.yaml", `${DEFAULT}\ninclude: [_shared.yaml]`);
    expect(await assay("rules", "check", file)).toMatchObject({ exitCode: 0 });
    expect(await assay("rules", "check", other)).toMatchObject({ exitCode: 1 });
  });

  test("checks a file of another folder with what lies beside it", async () => {
    put("_shared.yaml", "rules: []");
    put("other/_shared.yaml", 'rules:\n  - { id: shared, when: bot == "bad", action: block }\n');
    const file = put("other/draft.yaml", "ruleset: draft\ninclude: [_shared.yaml]");
    const { exitCode, out } = await assay("rules", "check", file, "--rulesets", join(dirname(file), "../nowhere"));
    expect([exitCode, out]).toEqual([0, "1 ruleset checked: no faults.\n"]);
  });

  test("says of a file that is no ruleset by its place that nobody reads it", async () => {
    put("default.yaml", DEFAULT);
    const file = put("drafts/draft.yaml", FAULTY);
    const { exitCode, out } = await assay("rules", "check", file);
    expect([exitCode, out]).toEqual([0, expect.stringMatching(/DIR\/drafts\/draft\.yaml.* warning: .*not read/)]);
  });

  test.each(["event.json", "default.yaml.bak", "default.YAML"])(
    "refuses %s, which is no file of rulesets",
    async (name) => {
      put("default.yaml", DEFAULT);
      const { exitCode, err } = await assay("rules", "check", put(name, FAULTY));
      expect([exitCode, err]).toEqual([
        2,
        expect.stringContaining("is no file of rulesets: those end with .yaml, .yml"),
      ]);
    },
  );

  test("says what to do about a folder that is not there", async () => {
    const { exitCode, err } = await assay("rules", "check", "--rulesets", "nowhere");
    expect([exitCode, err]).toEqual([3, expect.stringContaining("nowhere cannot be read: ENOENT")]);
    expect(err).toContain("Name a folder by --rulesets or ASSAY_RULESETS, or the files.");
  });

  test("checks a list with the folder it stands in", async () => {
    put("default.yaml", `${DEFAULT}\nlists: { offices: { type: cidr, file: lists/offices.txt } }`);
    const file = put("lists/offices.txt", "10.0.0.0/8\nnowhere\n");
    const { exitCode, out } = await assay("rules", "check", file);
    expect([exitCode, out]).toEqual([1, expect.stringContaining("DIR/lists/offices.txt:2:1: error:")]);
  });

  test("lets a warning pass, and fail under --strict", async () => {
    put(
      "default.yaml",
      'ruleset: default\nrules:\n  - { id: a, when: bot == "bad", action: block, review_by: 2026-01-01 }\n',
    );
    const { exitCode, out } = await assay("rules", "check");
    expect([exitCode, out]).toEqual([0, expect.stringMatching(/default\.yaml:3:\d+: warning: [^]*1 warning\.\n$/)]);
    expect((await assay("rules", "check", "--strict")).exitCode).toBe(1);
  });

  test("colours its output when it is told to", async () => {
    put("default.yaml", FAULTY);
    const { out } = await assayPainted(true, "rules", "check");
    expect(out).toContain("\u001b[31merror:\u001b[39m");
    expect(stripVTControlCharacters(out)).toBe((await assay("rules", "check")).out);
  });
});
