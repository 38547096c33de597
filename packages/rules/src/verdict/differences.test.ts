import type { Verdict } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { differencesOf } from "./differences.ts";

const verdict: Verdict = {
  schema: "assay.verdict/1",
  id: `s_${"a".repeat(26)}`,
  kind: "sealed",
  action: "block",
  score: 40,
  reasons: [{ rule: "bad_bot", score: 40, evidence: { bot: "bad" } }],
  shadow: [],
  unknown: [],
  checks: { stale: true },
  coverage: { rules: 1, judged: 1 },
  ruleset: { name: "default", digest: "d1", engine: "assay-rules/1" },
  received_at: 1_795_000_000_000,
  decided_at: 1_795_000_000_020,
};

describe("differencesOf", () => {
  test("finds none between a verdict and its copy", () => {
    expect(differencesOf(verdict, structuredClone(verdict))).toEqual([]);
  });

  test.each<[string, Partial<Verdict>, unknown]>([
    ["a value", { action: "allow" }, [{ path: "action", was: "block", is: "allow" }]],
    ["what is inside", { checks: { stale: false } }, [{ path: "checks.stale", was: true, is: false }]],
    ["what is gone", { checks: {} }, [{ path: "checks.stale", was: true, is: undefined }]],
    ["what is new", { late: true }, [{ path: "late", was: undefined, is: true }]],
    [
      "a list",
      {
        reasons: [
          { rule: "bad_bot", score: 41, evidence: { bot: "bad" } },
          { rule: "two", evidence: {} },
        ],
      },
      [
        { path: "reasons.0.score", was: 40, is: 41 },
        { path: "reasons.1", was: undefined, is: { rule: "two", evidence: {} } },
      ],
    ],
  ])("finds %s by its path", (_, change, expected) => {
    expect(differencesOf(verdict, { ...verdict, ...change })).toEqual(expected);
  });
});
