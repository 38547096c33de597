import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readRulesetFiles } from "./ruleset-files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ruleset-files-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(path: string, content: string | Uint8Array = path): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
}

async function pathsRead(): Promise<string[]> {
  return [...(await readRulesetFiles(folder)).keys()];
}

describe("readRulesetFiles", () => {
  test("reads rulesets, parts and lists by their relative path", async () => {
    put("default.yaml", "ruleset: default");
    put("_routes.yml");
    put("lists/eu/qa.txt");
    expect(await readRulesetFiles(folder)).toEqual(
      new Map([
        ["_routes.yml", "_routes.yml"],
        ["default.yaml", "ruleset: default"],
        ["lists/eu/qa.txt", "lists/eu/qa.txt"],
      ]),
    );
  });

  test.each([".hidden.yaml", "..data/default.yaml", "README.md", "default.yaml~", "a/b/c/too-deep.yaml"])(
    "leaves out %s",
    async (path) => {
      put(path);
      expect(await pathsRead()).toEqual([]);
    },
  );

  test("follows the symbolic links that Kubernetes makes", async () => {
    put("..2026_11_23/default.yaml");
    put("..2026_11_23/lists/qa.txt");
    symlinkSync("..2026_11_23", join(folder, "..next"));
    renameSync(join(folder, "..next"), join(folder, "..data"));
    symlinkSync("..data/default.yaml", join(folder, "default.yaml"));
    symlinkSync("..data/lists", join(folder, "lists"));
    expect(await pathsRead()).toEqual(["default.yaml", "lists/qa.txt"]);
  });

  test("ends in a folder that links to itself", async () => {
    put("default.yaml");
    symlinkSync(".", join(folder, "again"));
    expect(await pathsRead()).toEqual(["again/again/default.yaml", "again/default.yaml", "default.yaml"]);
  });

  test("names the folder that is not there, and the variable", async () => {
    await expect(readRulesetFiles(join(folder, "nowhere"))).rejects.toMatchObject({
      code: "ruleset_files_unreadable",
      message: expect.stringMatching(/nowhere cannot be read: ENOENT.*Set ASSAY_RULESETS/),
    });
  });

  test("refuses what is not UTF-8", async () => {
    put("default.yaml", Uint8Array.of(0x72, 0xff));
    await expect(readRulesetFiles(folder)).rejects.toThrow(/default\.yaml is not UTF-8/);
  });

  test("refuses more than 500 files", async () => {
    for (let index = 0; index < 500; index++) put(`${index}.yaml`);
    expect(await pathsRead()).toHaveLength(500);
    put("one-more.txt");
    await expect(readRulesetFiles(folder)).rejects.toThrow(/more than 500 files.*Set ASSAY_RULESETS/);
  });

  test("refuses more than 64 MiB without reading them", async () => {
    put("large.txt");
    truncateSync(join(folder, "large.txt"), 64 * 1024 * 1024 + 1);
    await expect(readRulesetFiles(folder)).rejects.toThrow(/more than 64 MiB/);
  });
});
