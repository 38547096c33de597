import { describe, expect, test } from "vitest";
import { loadRuleset } from "../index.ts";
import { faultsOf } from "../../test/build.ts";

describe("RulesetError", () => {
  test("shows file, line and column, the line, a caret and what was meant", () => {
    const text = 'ruleset: test\nrules:\n  - id: it\n    when: vpn && bott == "bad"\n    score: 1\n';
    expect(faultsOf(text)[0]?.text).toBe(
      [
        "test.yaml:4:18: bott is not a known name. Did you mean bot?",
        '  4 |     when: vpn && bott == "bad"',
        "    |                  ^",
      ].join("\n"),
    );
  });

  test("carries every fault, in the order of the text, and a stable code", () => {
    const load = () => loadRuleset("mood: x\nrules:\n  - id: A\n    when: vpnn\n", { file: "test.yaml" });
    expect(load).toThrow(
      expect.objectContaining({
        code: "ruleset_invalid",
        faults: [
          expect.objectContaining({ line: 1, column: 1, message: expect.stringContaining("mood is not known") }),
          expect.objectContaining({ line: 1, column: 1, message: "A ruleset needs a name: ruleset: <name>" }),
          expect.objectContaining({ line: 3, column: 5, message: "A rule needs a score or an action, or both." }),
          expect.objectContaining({ line: 3, column: 9 }),
          expect.objectContaining({ line: 4, column: 11 }),
        ],
      }),
    );
  });

  test("shows of a very long line what stands around the fault", () => {
    const text = `{"ruleset": "test", "facts": {}, "tests": [${" ".repeat(1000)}], "mood": 1,${" ".repeat(1000)}}`;
    const [, source = "", caret = ""] = faultsOf(text)[0]?.text.split("\n") ?? [];
    expect(source.length).toBeLessThan(220);
    expect(source.slice(caret.indexOf("^"))).toMatch(/^"mood": 1/);
  });

  test("puts the caret under its character in a line that holds tabs and ends with a carriage return", () => {
    const text = "ruleset: test\r\nrules:\r\n  - id: it\r\n    when: vpn &&\tbott\r\n    score: 1\r\n";
    expect(faultsOf(text)[0]?.text.split("\n").slice(1)).toEqual([
      "  4 |     when: vpn &&\tbott",
      "    |                 \t^",
    ]);
  });
});
