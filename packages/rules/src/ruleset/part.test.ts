import { describe, expect, test } from "vitest";
import { faultsOf } from "../../test/build.ts";
import { loadRuleset } from "../index.ts";

const RULE = "rules: [{ id: it, when: vpn, score: 1 }]\n";

const placedFaultsOf = (text: string, files: Record<string, string>) =>
  faultsOf(text, files).map((fault) => `${fault.file}:${fault.line}:${fault.column} ${fault.message}`);

describe("include", () => {
  test("takes facts, lists, counters and rules of its parts", () => {
    const { digest, facts, ruleIds } = loadRuleset("ruleset: test\ninclude: [_a.yaml, _b.yml]\n", {
      file: "rulesets/test.yaml",
      files: new Map([
        ["_a.yaml", "facts: { level: number }\nlists: { qa: { type: string, file: qa.txt } }\n"],
        ["_b.yml", `counters: { c: { key: ip_address, window: 1h } }\n${RULE}`],
        ["qa.txt", "x\n"],
      ]),
    });
    expect(facts).toEqual([{ name: "level", type: "number" }]);
    expect(ruleIds).toEqual(["it"]);
    const inline = loadRuleset(
      "ruleset: test\nfacts: { level: number }\nlists: { qa: { type: string, file: qa.txt } }\n" +
        `counters: { c: { key: ip_address, window: 1h } }\n${RULE}`,
      { file: "test.yaml", files: new Map([["qa.txt", "x\n"]]) },
    );
    expect(digest).toBe(inline.digest);
  });

  test("takes a part that holds nothing but comments", () => {
    expect(placedFaultsOf("ruleset: test\ninclude: [_a.yaml]\n", { "_a.yaml": "# later\n" })).toEqual([]);
  });

  test.each<[string, Record<string, string>, string]>([
    [
      "[_share.yaml]",
      { "_shared.yaml": "" },
      "test.yaml:2:11 There is no file _share.yaml. Did you mean _shared.yaml?",
    ],
    ["[_a.yaml]", {}, "test.yaml:2:11 There is no file _a.yaml. Paths are relative to the folder of the rulesets."],
    ["[a.yaml]", { "a.yaml": "" }, "test.yaml:2:11 a.yaml is no part: the name of a part begins with _"],
    ["[../_a.yaml]", { "../_a.yaml": "" }, "test.yaml:2:11 ../_a.yaml is no part"],
    ["[_routes.yaml]", { "_routes.yaml": "" }, "test.yaml:2:11 _routes.yaml is no part"],
    ["[_a.yaml, _a.yaml]", { "_a.yaml": "" }, "test.yaml:2:20 _a.yaml is included twice."],
    ["_a.yaml", { "_a.yaml": "" }, "test.yaml:2:10 include must be a list."],
    ["[_a.yaml]", { "_a.yaml": "ruleset: x\n" }, "_a.yaml:1:1 A part has no ruleset; only a ruleset does."],
    ["[_a.yaml]", { "_a.yaml": "include: [_b.yaml]\n" }, "_a.yaml:1:1 A part has no include"],
    ["[_a.yaml]", { "_a.yaml": "thresholds: {}\n" }, "_a.yaml:1:1 A part has no thresholds"],
    ["[_a.yaml]", { "_a.yaml": "rulse: []\n" }, "_a.yaml:1:1 rulse is not known in a part. Did you mean rules?"],
    ["[_a.yaml]", { "_a.yaml": "- x\n" }, "_a.yaml:1:1 a part must be a map"],
    ["[_a.yaml]", { "_a.yaml": "rules: *x\n" }, "_a.yaml:1:8 YAML reads *x as an alias"],
    [
      "[_a.yaml]",
      { "_a.yaml": "rules:\n  - id: x\n    when: vpnn\n    score: 1\n" },
      "_a.yaml:3:11 vpnn is not a known name. Did you mean vpn?",
    ],
  ])("refuses include: %s beside %j", (include, files, fault) => {
    expect(placedFaultsOf(`ruleset: test\ninclude: ${include}\n`, files).join("\n")).toContain(fault);
  });

  test.each([
    ["rule", "rules: [{ id: it, when: vpn, score: 1 }]", "11"],
    ["fact", "facts: { it: number }", "10"],
    ["counter", "counters: { it: { key: ip_address, window: 1h } }", "13"],
    ["list", "lists: { it: { type: string, file: qa.txt } }", "10"],
  ])("names both places of a %s that is defined twice", (what, line, column) => {
    const files = { "_a.yaml": `${line}\n`, "_b.yaml": `${line}\n`, "qa.txt": "" };
    const at = what === "rule" ? Number(column) + 4 : column;
    expect(placedFaultsOf(`ruleset: test\ninclude: [_a.yaml, _b.yaml]\n${line}\n`, files)).toEqual([
      `_b.yaml:1:${at} The ${what} it is defined twice: here and at _a.yaml:1:${at}.`,
      `test.yaml:3:${at} The ${what} it is defined twice: here and at _a.yaml:1:${at}.`,
    ]);
  });
});
