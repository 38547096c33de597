import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadRulesets, RulesetFolderError } from "./rulesets.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rulesets-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(file: string, text: string): void {
  writeFileSync(join(folder, file), text);
}

function faultsOf(): string {
  try {
    loadRulesets(folder);
  } catch (error) {
    if (error instanceof RulesetFolderError) return error.message;
    throw error;
  }
  return "";
}

const rule = 'rules: [{ id: bot, when: bot == "bad", action: block }]';

describe("loadRulesets", () => {
  test("loads every ruleset of the folder by its name", () => {
    put("default.yaml", `ruleset: default\n${rule}`);
    put("checkout.yml", `ruleset: checkout\n${rule}`);
    const rulesets = loadRulesets(folder);
    expect(rulesets.default.name).toBe("default");
    expect(rulesets.named("checkout")?.name).toBe("checkout");
    expect(rulesets.named("nowhere")).toBeUndefined();
  });

  test("shows the faults of all files at once", () => {
    put("default.yaml", "ruleset: default\nrules: [{ id: a, when: bott, action: block }]");
    put("other.yaml", "ruleset: other\nrules: [{ id: b, when: vpnn, action: block }]");
    expect(faultsOf()).toMatch(/default\.yaml:2[\s\S]*other\.yaml:2/);
  });

  test("refuses two files with one name", () => {
    put("default.yaml", `ruleset: default\n${rule}`);
    put("second.yaml", `ruleset: default\n${rule}`);
    expect(faultsOf()).toContain("second.yaml: another file has the ruleset default already");
  });

  test("refuses a folder without a default", () => {
    put("checkout.yaml", `ruleset: checkout\n${rule}`);
    expect(faultsOf()).toContain("has no ruleset named default");
  });

  test("refuses routes, which this version does not build", () => {
    put("default.yaml", `ruleset: default\n${rule}`);
    put("_routes.yaml", "login: account_takeover");
    expect(faultsOf()).toContain("_routes.yaml: routes and shared parts are not in this version");
  });

  test("names a folder that is not there", () => {
    folder = join(folder, "nowhere");
    expect(faultsOf()).toContain("Set ASSAY_RULESETS");
    folder = join(folder, "..");
  });
});
