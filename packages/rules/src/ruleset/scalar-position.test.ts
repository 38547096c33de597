import { describe, expect, test } from "vitest";
import { briefFaultsOf } from "../../test/build.ts";

describe("scalarPositions", () => {
  test.each([
    ["plain", "when: vpn && bott", "4:18"],
    ["double quotes", 'when: "vpn && bott"', "4:19"],
    ["escapes in double quotes", 'when: "bot == \\"bad\\" && bott"', "4:30"],
    ["a coded character", 'when: "bot == \\x22bad\\u0022 && bott"', "4:36"],
    ["a coded space", 'when: "vpn\\x20&&\\u0020bott"', "4:27"],
    ["a code of two units", "when: \"os == '\\U0001F600' && bott\"", "4:34"],
    ["an escaped space", 'when: "vpn\\t&& bott"', "4:20"],
    ["single quotes", "when: 'vpn && bott'", "4:19"],
    ["doubled single quotes", "when: 'os == ''x'' && bott'", "4:27"],
    ["a plain text over two lines", "when: vpn &&\n      bott", "5:7"],
    ["a quoted text over two lines", 'when: "vpn &&\n      bott"', "5:7"],
    ["a folded block", "when: >-\n      vpn &&\n        bott", "6:9"],
    ["a literal block with a comment", "when: | # why\n\n      vpn\n      && bott\n", "7:10"],
  ])("finds a character in %s", (_, when, at) => {
    const text = `ruleset: test\nrules:\n  - id: it\n    ${when}\n    score: 1\n`;
    expect(briefFaultsOf(text)).toEqual([`${at} bott is not a known name. Did you mean bot?`]);
  });

  test("puts what is missing at the end right after the last character", () => {
    const text = "ruleset: test\nrules:\n  - id: it\n    when: >-\n      vpn &&\n    score: 1\n";
    expect(briefFaultsOf(text)).toEqual(["5:13 The condition ends too early."]);
  });
});
