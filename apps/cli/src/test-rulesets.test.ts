import { describe, expect, test } from "vitest";
import { assay, assayJson, DEFAULT, FAULTY, put, useFolder } from "../test/command-line.ts";

useFolder();

const TESTS =
  "tests:\n  - { name: a bot is blocked, given: { bot: bad }, expect: { action: block, rules: [bad_bot] } }";
const FAILING = "  - { name: a bot passes, given: { bot: bad }, expect: { action: allow } }";

describe("assay rules test", () => {
  test("says which tests passed", async () => {
    put("default.yaml", `${DEFAULT}\n${TESTS}`);
    expect(await assay("rules", "test")).toEqual({
      exitCode: 0,
      out: "default DIR/default.yaml\n  passed  a bot is blocked\n\n1 test passed.\n",
      err: "",
    });
  });

  test("says what was expected and what came", async () => {
    put("default.yaml", `${DEFAULT}\n${TESTS}\n${FAILING}`);
    const { exitCode, out } = await assay("rules", "test");
    expect(exitCode).toBe(1);
    expect(out).toContain("failed  a bot passes DIR/default.yaml:11\n          action: expected allow, came block");
    expect(out).toMatch(/\n1 of 2 tests failed\.\n$/);
    expect(await assayJson("rules", "test")).toMatchObject({
      rulesets: [{ name: "default", tests: [{ passed: true }, { passed: false, line: 11 }] }],
    });
  });

  test("fails for rulesets that do not load", async () => {
    put("default.yaml", DEFAULT);
    const file = put("other.yaml", FAULTY);
    const { exitCode, out } = await assay("rules", "test", file);
    expect([exitCode, out]).toEqual([1, expect.stringContaining("1 error: not all rulesets could be tested.")]);
  });
});
