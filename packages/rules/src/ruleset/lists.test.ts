import { describe, expect, test } from "vitest";
import { faultsOf } from "../../test/build.ts";
import { loadRuleset } from "../index.ts";

const files = { "lists/qa.txt": "a1 until=2020-01-01\nb2\n", "lists/bad.txt": "DE\nGermany\n" };
const textOf = (list: string) => `ruleset: test\nlists: { qa: ${list} }\n`;
const placedFaultsOf = (text: string) =>
  faultsOf(text, files).map((fault) => `${fault.file}:${fault.line}:${fault.column} ${fault.message}`);

describe("lists", () => {
  test.each([
    [
      "{ type: strng, file: lists/qa.txt }",
      "test.yaml:2:22 type must be one of string, cidr, asn, country, email_domain. Did",
    ],
    ["{ file: lists/qa.txt }", "test.yaml:2:10 A list needs a type: string, cidr, asn, country, email_domain."],
    ["{ type: string }", "test.yaml:2:10 A list needs a file, as in lists/qa.txt."],
    ["{ type: string, fiel: x }", "test.yaml:2:30 fiel is not known in a list. Did you mean file?"],
    ["lists/qa.txt", "test.yaml:2:14 a list must be a map"],
    [
      "{ type: string, file: lists/aq.txt }",
      "test.yaml:2:36 There is no file lists/aq.txt. Did you mean lists/qa.txt?",
    ],
    ["{ type: string, file: lists/bad.csv }", "test.yaml:2:36 file must be a .txt file in the folder of the rulesets"],
    ["{ type: string, file: /etc/qa.txt }", "file must be a .txt file"],
    ["{ type: string, file: ../qa.txt }", "file must be a .txt file"],
    ["{ type: string, file: lists/../qa.txt }", "file must be a .txt file"],
    ["{ type: string, file: ./qa.txt }", "file must be a .txt file"],
    ["{ type: country, file: lists/bad.txt }", "lists/bad.txt:2:1 Germany is not a country."],
  ])("refuses %s", (list, fault) => {
    expect(placedFaultsOf(textOf(list)).join("\n")).toContain(fault);
  });

  test.each(["Qa", "in", "9a"])("refuses the name %s", (name) => {
    const text = `ruleset: test\nlists: { ${name}: { type: string, file: lists/qa.txt } }\n`;
    expect(placedFaultsOf(text)).toEqual([
      `test.yaml:2:10 ${name} cannot name a list: use snake_case, at most 64 characters, no CEL word.`,
    ]);
  });

  test("warns in the list's own file", () => {
    const { warnings } = loadRuleset(
      `${textOf("{ type: string, file: lists/qa.txt }")}rules: [{ id: a, when: vpn, action: block }]\n`,
      {
        file: "rulesets/test.yaml",
        files: new Map(Object.entries(files)),
        now: Date.UTC(2026, 0, 1),
      },
    );
    expect(warnings.map(({ file, line, severity }) => `${severity} ${file}:${line}`)).toEqual([
      "warning rulesets/lists/qa.txt:1",
    ]);
  });

  test("changes the digest with its entries, not with its notes", () => {
    const digestOf = (qa: string) =>
      loadRuleset(textOf("{ type: string, file: qa.txt }"), { file: "test.yaml", files: new Map([["qa.txt", qa]]) })
        .digest;
    expect(digestOf("a by=ann\n# more\n")).toBe(digestOf("a\n"));
    expect(digestOf("b\n")).not.toBe(digestOf("a\n"));
  });
});
