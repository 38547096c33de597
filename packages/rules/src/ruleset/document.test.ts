import { describe, expect, test } from "vitest";
import { briefFaultsOf } from "../../test/build.ts";

const textWith = (when: string) => `ruleset: test\nrules:\n  - id: it\n    when: ${when}\n    action: block\n`;

describe("parseYaml", () => {
  test.each([
    [
      "!has(bot) && vpn",
      '4:11 YAML reads !has(bot) as a tag, not as part of the value. Quote the condition: when: "!has(bot) && vpn"',
    ],
    ['!vpn && bot == "bad"', "Quote the condition: when: '!vpn && bot == \"bad\"'"],
    ["!vpn && bot == \"bad\" || os == 'x'", "Write the condition as a block:\n    when: >-\n      !vpn"],
    ["!!str vpn", "4:11 YAML reads !!str as a tag"],
    ["&a vpn", "4:11 YAML reads &a as an anchor"],
    ["*a", "4:11 YAML reads *a as an alias"],
    ['"bad" == bot', "Quote the condition: when: '\"bad\" == bot'"],
    ["vpn ? proxy : true", 'Quote the condition: when: "vpn ? proxy : true"'],
    ["@vpn", 'Quote the condition: when: "@vpn"'],
    [
      "[vpn",
      '4:11 Flow sequence in block collection must be sufficiently indented and end with a ]. Quote the condition: when: "[vpn"',
    ],
    ["{ vpn: true }", 'A condition must be one text. Quote the condition: when: "{ vpn: true }"'],
    ['bot == "a #1"', "To YAML, all after # is a comment. Quote the condition: when: 'bot == \"a #1\"'"],
    ['"vpn', "4:11 This text has no closing quote."],
  ])("refuses when: %s and shows how to write it", (when, fault) => {
    expect(briefFaultsOf(textWith(when))[0]).toContain(fault);
  });

  test.each([
    ["%YAML 1.1\n---\nruleset: test\n", "1:1 A file of rules has no YAML directives. Remove this line."],
    ["ruleset: test\n---\nruleset: other\n", "2:1 A file holds one YAML document."],
    ["ruleset: test\nruleset: other\n", "2:1 Map keys must be unique."],
    ["ruleset: &a test\nmode: *a\n", "1:10 YAML reads &a as an anchor"],
    ["!test\nruleset: test\n", "1:1 YAML reads !test as a tag"],
    ["\truleset: test\n", "1:1 Tabs are not allowed as indentation."],
    ["- ruleset\n", "1:1 a ruleset must be a map of keys and values."],
    ["ruleset\n", "1:1 a ruleset must be a map of keys and values."],
    ["1: test\n", "1:1 A key of a ruleset must be a text."],
    ["", "1:1 The ruleset is empty."],
    ["# nothing\n", "1:1 The ruleset is empty."],
    [`# ${"x".repeat(512 * 1024)}`, "1:1 A file of rules may be at most 524288 characters long"],
  ])("refuses %j", (text, fault) => {
    expect(briefFaultsOf(text)[0]).toContain(fault);
  });

  test("reports one trap a line", () => {
    expect(briefFaultsOf(textWith("!has(bot) && !vpn"))).toHaveLength(1);
  });

  test("reports one error of YAML a line", () => {
    expect(briefFaultsOf("ruleset: test\nrules: [{ id: it, when: bot in ['bad'], score: 1 }]\n")).toEqual([
      expect.stringMatching(/^2:\d+ .* Put the condition in quotes\.$/),
    ]);
  });

  test("takes a document marker, comments and every way to quote", () => {
    const text = `--- # one document
ruleset: "test" # the name
rules:
  - { id: 'a', when: "!has(bot) && vpn", score: 1 }
  - id: b
    when: '!has(bot) && os == ''x'''
    score: 1
  - id: c
    when: |
      !has(bot) &&
      vpn
    score: 1
`;
    expect(briefFaultsOf(text)).toEqual([]);
  });
});
