import { assert, property, string } from "fast-check";
import { describe, expect, test } from "vitest";
import { column, verdictColumns } from "./verdict-columns.ts";

const VERDICT = {
  id: "s_1",
  kind: "sealed",
  action: "allow",
  score: 0,
  ruleset: { name: "default", digest: "d1", engine: "e1" },
  received_at: 1_760_000_000_000,
  decided_at: 1_760_000_000_020,
};

describe("verdictColumns", () => {
  test("leaves out what a verdict does not say", () => {
    expect(verdictColumns(JSON.stringify(VERDICT))).toEqual({
      id: "s_1",
      receivedAt: 1_760_000_000_000,
      decidedAt: 1_760_000_000_020,
      kind: "sealed",
      action: "allow",
      score: 0,
      ruleset: "default",
      rulesetDigest: "d1",
      engine: "e1",
      rules: [],
      late: false,
    });
  });

  test.each(Object.keys(VERDICT))("refuses a verdict without %s, and tells nothing of it", (name) => {
    const rest = Object.fromEntries(Object.entries({ ...VERDICT, visitor_id: "v1" }).filter(([one]) => one !== name));
    expect(() => verdictColumns(JSON.stringify(rest))).toThrow(
      expect.objectContaining({ code: "archive_rejected", message: expect.not.stringContaining("v1") }),
    );
  });

  test.each([-1, 0, 1_760_000_000_000.5, Date.UTC(1999, 11, 31), Date.UTC(9999, 0), 8.64e15, 1e300])(
    "refuses %d as a time",
    (time) => {
      expect(() => verdictColumns(JSON.stringify({ ...VERDICT, received_at: time }))).toThrow("received_at");
    },
  );
});

describe("column", () => {
  test("is a text that an index takes: short, and without U+0000", () => {
    assert(
      property(string({ unit: "binary", maxLength: 600 }), (value) => {
        const kept = column(value) ?? "";
        expect([kept.length <= 256, kept.includes("\0")]).toEqual([true, false]);
      }),
    );
  });

  test.each([undefined, null, 5, {}])("is nothing for %j", (value) => {
    expect(column(value)).toBeUndefined();
  });
});
