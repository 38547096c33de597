import { EVENT_FIELDS, type Verdict } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { readVerdictCondition } from "./verdict-condition.ts";

const VERDICT: Verdict = {
  schema: "assay.verdict/1",
  id: "s_1",
  kind: "lookup",
  action: "block",
  score: 40,
  reasons: [{ rule: "bad_bot", action: "block", evidence: {} }],
  shadow: [],
  unknown: [],
  checks: {},
  coverage: { rules: 1, judged: 1 },
  ruleset: { name: "checkout", digest: "d", engine: "e" },
  received_at: 1,
  decided_at: 2,
  context: { flow: "login" },
};

function meets(text: string, verdict: Partial<Verdict> = {}): boolean {
  const read = readVerdictCondition(text);
  if (!read.ok) throw new Error(read.faults.join("\n"));
  return read.condition.meets({ ...VERDICT, ...verdict });
}

describe("a condition over a verdict", () => {
  test.each([
    [`action == "block"`, true],
    [`action in ["allow", "challenge"]`, false],
    [`score >= 40`, true],
    [`flow == "login"`, true],
    [`kind == "webhook"`, false],
    [`ruleset == "checkout"`, true],
    [`"bad_bot" in rules`, true],
    [`rules.exists(r, r.startsWith("integrity."))`, false],
    [`has(undecided)`, false],
    [`!late`, true],
    [`action == "block" && flow != "checkout"`, true],
  ])("%s is %s", (text, expected) => {
    expect(meets(text)).toBe(expected);
  });

  test("is not met where it is unknown, on either side", () => {
    expect(meets(`flow == "login"`, { context: {} })).toBe(false);
    expect(meets(`flow != "login"`, { context: {} })).toBe(false);
  });

  test("knows why nothing was decided", () => {
    expect(meets(`undecided == "no_key_opens"`, { undecided: { code: "no_key_opens" } })).toBe(true);
  });

  test.each([
    [`acton == "block"`, "column 1: acton is not a known name. Did you mean action?"],
    [`score > 1 && bot == "bad"`, "column 14: bot is not a known name."],
    [`action == "blok"`, "column 11: "],
    [`score`, "column 1: "],
    [``, "column 1: The condition is empty."],
    [`action == "block" and late`, "column 19: CEL writes && for and."],
  ])("tells with a caret what is wrong with %s", (text, expected) => {
    const read = readVerdictCondition(text);
    const [fault = ""] = read.ok ? [] : read.faults;
    expect(fault.slice(0, expected.length)).toBe(expected);
    const [, line = "", caret = ""] = fault.split("\n");
    expect(line.trim()).toBe(text);
    expect(caret.trim()).toBe("^");
  });

  test("uses no name of an event's, whose place it would take", () => {
    const names = ["action", "score", "flow", "kind", "ruleset", "rules", "undecided", "late"];
    expect(names.filter((name) => name in EVENT_FIELDS)).toEqual([]);
  });
});
