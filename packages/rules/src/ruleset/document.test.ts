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
    ["[vpn", '4:11 This [ has no ] that closes it. Quote the condition: when: "[vpn"'],
    ["{ vpn: true }", 'A condition must be one text. Quote the condition: when: "{ vpn: true }"'],
    ['bot == "a #1"', "To YAML, all after # is a comment. Quote the condition: when: 'bot == \"a #1\"'"],
    ['"vpn', "4:11 This text has no closing quote."],
    ['"bot == "bad""', "Quote the condition: when: 'bot == \"bad\"'"],
    ['url.contains(": x")', "4:11 A colon before a space ends a key, so YAML reads two keys in this line. Quote"],
  ])("refuses when: %s and shows how to write it", (when, fault) => {
    expect(briefFaultsOf(textWith(when))[0]).toContain(fault);
  });

  test.each([
    ["%YAML 1.1\n---\nruleset: test\n", "1:1 A file of rules has no YAML directives. Remove this line."],
    ["ruleset: test\n---\nruleset: other\n", "2:1 A file holds one YAML document."],
    ["ruleset: test\nruleset: other\n", "2:1 ruleset stands twice in one map. Remove one of them."],
    ["ruleset: &a test\nmode: *a\n", "1:10 YAML reads &a as an anchor"],
    ["!test\nruleset: test\n", "1:1 YAML reads !test as a tag"],
    ["\truleset: test\n", "1:1 Here is a tab. YAML is indented with spaces only."],
    ["- ruleset\n", "1:1 a ruleset must be a map of keys and values."],
    ["ruleset\n", "1:1 a ruleset must be a map of keys and values."],
    ["1: test\n", "1:1 A key of a ruleset must be a text."],
    ["", "1:1 The ruleset is empty."],
    ["# nothing\n", "1:1 The ruleset is empty."],
    [`# ${"x".repeat(512 * 1024)}`, "1:1 A file of rules may be at most 524288 characters long"],
  ])("refuses %j", (text, fault) => {
    expect(briefFaultsOf(text)[0]).toContain(fault);
  });

  test.each([
    [
      "rules:\n  - id: it\n      when: vpn\n",
      "2:9 The next line is indented deeper than this one. Keys of one map stand in one column.",
    ],
    [
      "rules:\n  - id: it\n   when: vpn\n",
      "3:1 This line is indented neither like the keys above it nor like a new item, which begins with -.",
    ],
    ["rules:\n\t- id: it\n\t  when: vpn\n", "2:1 Here is a tab. YAML is indented with spaces only."],
    ["rules:\n  - id: it\n    when: vpn\n    when: proxy\n", "4:5 when stands twice in one map. Remove one of them."],
    [
      "rules:\n\u00a0 - id: it\n",
      "2:1 Here is white space that only looks like a space (U+00A0). Indent with plain spaces.",
    ],
    [
      "ruleset: test\rrules: []\r",
      "1:14 This line ends as on old Macs. Save the file with line ends of Unix or Windows.",
    ],
  ])("gives %j no advice that would not mend it", (text, fault) => {
    expect(briefFaultsOf(text)[0]).toBe(fault);
  });

  test.each([
    ["message: Note: vpn", 'Quote the text: message: "Note: vpn"'],
    ["message: *sure*", 'Quote the text: message: "*sure*"'],
    ["owner: @ann", 'Quote the text: owner: "@ann"'],
    ["message: %5", 'Quote the text: message: "%5"'],
  ])("shows how to write %s", (line, advice) => {
    expect(briefFaultsOf(`${textWith("vpn")}    ${line}\n`)[0]).toContain(advice);
  });

  test("says that braces end a condition at its comma", () => {
    const text = "ruleset: test\nrules: [{ id: it, when: labels.exists(l, l.prediction), score: 1 }]\n";
    expect(briefFaultsOf(text)[0]).toContain("To YAML, a text in braces ends at a comma. Put the condition in quotes.");
  });

  test.each(["[", "{a: "])("refuses a text of nothing but %s without running out of stack", (opening) => {
    expect(briefFaultsOf(`facts: ${opening.repeat(50_000)}`)).toEqual([
      expect.stringContaining("may be nested at most 32 deep. Is a closing bracket missing?"),
    ]);
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
