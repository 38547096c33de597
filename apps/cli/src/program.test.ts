import { describe, expect, test } from "vitest";
import { assay, assayJson, DEFAULT, put, useFolder } from "../test/command-line.ts";

useFolder();

describe("assay rules list", () => {
  test("names rulesets and what their rules do", async () => {
    put("default.yaml", DEFAULT);
    const { out } = await assay("rules", "list");
    expect(out).toMatch(/^default \w{16} DIR\/default\.yaml\n {2}mode enforce, 4 rules\n {2}facts country: string\n/);
    expect(out).toContain("  bad_bot  block  live    An automation tool\n");
    expect(out).toContain("  hidden   +80    live    ann@example.com  #net\n");
    expect(out).toContain("  abroad   +10    shadow\n");
  });

  test("gives them to programs, with the ruleset of each flow", async () => {
    put("default.yaml", DEFAULT);
    put("_routes.yaml", "login: default\n");
    expect(await assayJson("rules", "list")).toMatchObject({
      rulesets: [
        { name: "default", mode: "enforce", rules: [{ id: "bad_bot", action: "block", mode: "live" }, {}, {}, {}] },
      ],
      flows: { login: "default" },
    });
  });
});

describe("assay rules schema", () => {
  test.each([
    [[], "A ruleset of Assay"],
    [["part"], "A part of rulesets of Assay"],
    [["routes"], "Routes of Assay"],
  ])("prints the schema of %j", async (kind, title) => {
    expect(JSON.parse((await assay("rules", "schema", ...kind)).out)).toMatchObject({ title });
  });

  test("names the kinds there are", async () => {
    const { exitCode, err } = await assay("rules", "schema", "rule");
    expect([exitCode, err]).toEqual([2, expect.stringContaining("There are: ruleset, part, routes.")]);
  });
});

describe("assay facts schema", () => {
  test("prints what the rulesets of the folder declare", async () => {
    put("default.yaml", DEFAULT);
    expect(JSON.parse((await assay("facts", "schema")).out)).toMatchObject({
      properties: { country: { type: "string" } },
    });
  });
});

describe("assay", () => {
  test.each([
    [["--help"], 0],
    [["rules", "check", "--help"], 0],
    [["--version"], 0],
    [[], 2],
    [["rules"], 2],
    [["rules", "cheque"], 2],
    [["rules", "check", "--stric"], 2],
    [["rules", "explain"], 2],
    [["migrate"], 2],
    [["rules", "check", "nowhere.yaml"], 3],
    [["rules", "list", "--rulesets", "nowhere"], 3],
    [["rules", "explain", "nowhere.json"], 3],
  ])("exits %j with %i", async (args, exitCode) => {
    put("default.yaml", DEFAULT);
    expect((await assay(...args)).exitCode).toBe(exitCode);
  });

  test("says what each exit code means", async () => {
    expect((await assay("rules", "test", "--help")).out).toMatch(/Exit codes:\n {2}0 {2}fine\n[^]*\n {2}3 /);
  });

  test("tells programs what went wrong", async () => {
    const { exitCode, out, err } = await assay("rules", "explain", "nowhere.json", "--json");
    expect([exitCode, JSON.parse(out), err]).toEqual([3, { error: expect.stringContaining("nowhere.json") }, ""]);
  });

  test("asks for the address and the key before it looks for a verdict", async () => {
    const { exitCode, err } = await assay("rules", "explain", "s_aaaaaaaaaaaaaaaaaaaaaaaaaa");
    expect([exitCode, err]).toEqual([2, expect.stringMatching(/ASSAY_URL.*ASSAY_KEY/)]);
  });
});
