import * as fc from "fast-check";
import { RE2JS } from "re2js";
import { describe, expect, test } from "vitest";
import { compilePattern } from "./pattern.ts";

function matches(pattern: string, text: string): boolean {
  const compiled = compilePattern(pattern);
  if (typeof compiled === "string") throw new TypeError(compiled);
  return compiled.test(text);
}

describe("compilePattern", () => {
  test.each([
    ["b+c", "abbc", true],
    ["^b+c", "abbc", false],
    ["^abbc$", "abbc", true],
    ["^abbc$", "abbc\n", false],
    ["(?m)^b$", "a\nb\nc", true],
    ["a.c", "a\nc", false],
    ["(?s)a.c", "a\nc", true],
    ["(?i)ÄK", "äK", true],
    ["^.$", "😀", true],
    ["^..$", "😀", false],
    [String.raw`\x{1F600}`, "a😀", true],
    ["^[^a]$", "\ud83d", true],
    [String.raw`\bbot\b`, "a bot", true],
    [String.raw`\bbot\b`, "robots", false],
    [String.raw`\Bbot`, "robots", true],
    [String.raw`\p{Greek}`, "abcλ", true],
    ["^$", "", true],
    ["^$", "a", false],
    ["a{500}", "a".repeat(500), true],
    ["a{500}", "a".repeat(499), false],
  ])("%s in %j: %s", (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });

  test.each([
    ["[", "This pattern cannot be read: missing closing ]: `[`. It is in RE2's syntax."],
    ["a(?=b)", "RE2 looks neither ahead nor back"],
    ["(?<!a)b", "RE2 looks neither ahead nor back"],
    [String.raw`(a)\1`, "This pattern cannot be read: invalid escape sequence"],
    ["a{1000}b{1000}", "This pattern is too large."],
    ["[ab]*a[ab]{14}c", "This pattern has too many ways to match."],
    ["a*", "This pattern matches every text."],
    ["(a|)", "This pattern matches every text."],
    ["a^b", "This pattern matches no text."],
    [String.raw`a\bb`, "This pattern matches no text."],
  ])("refuses %s", (pattern, fault) => {
    expect(compilePattern(pattern)).toContain(fault);
  });

  test("agrees with the library on any pattern it takes", () => {
    const atom = fc.constantFrom(
      "a",
      "b",
      ".",
      "[^a]",
      "[a-c]",
      String.raw`\w`,
      String.raw`\b`,
      "^",
      "$",
      "é",
      "€",
      "😀",
      "(?i)a",
    );
    const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
      pattern: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        atom,
        fc.tuple(tie("pattern"), tie("pattern")).map(([a, b]) => a + b),
        fc.tuple(tie("pattern"), tie("pattern")).map(([a, b]) => `(${a}|${b})`),
        fc.tuple(tie("pattern"), fc.constantFrom("*", "+?", "?", "{2,3}")).map(([a, repeat]) => `(?:${a})${repeat}`),
      ),
    }));
    const text = fc.string({
      unit: fc.constantFrom("a", "b", "c", "A", " ", "\n", "é", "€", "😀", "\ud83d"),
      maxLength: 12,
    });
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 5 }), (source, texts) => {
        const compiled = compilePattern(source);
        fc.pre(typeof compiled !== "string");
        const library = RE2JS.compile(source);
        expect(texts.map((one) => compiled.test(one))).toEqual(texts.map((one) => library.test(one)));
      }),
      { numRuns: 500 },
    );
  });
});
