import { ACTIONS, LABELS } from "@assay/protocol";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rulesetOf } from "../../test/build.ts";
import type { RowJudgment, SideJudgment } from "./judge-row.ts";
import { summaryOf } from "./summary.ts";
import { addRow, emptyTally, mergeTally, type Tally } from "./tally.ts";

const OPTIONS = { examples: 2, isPersonal: false };
const DECISION = rulesetOf().undecided("internal_error");

const side = fc.record({
  ruleset: fc.constantFrom("a", "b"),
  action: fc.constantFrom(...ACTIONS),
  rules: fc.subarray(["one", "two", "three"]),
  warming: fc.subarray(["logins", "devices"]),
  isUndecided: fc.constantFrom(false, false, true),
});
const row = fc.record({ old: side, new: side, label: fc.constantFrom(...LABELS, undefined), receivedAt: fc.nat(1000) });

function judgmentOf({ rules, ...said }: typeof side extends fc.Arbitrary<infer Made> ? Made : never): SideJudgment {
  return { ...said, decision: { ...DECISION, reasons: rules.map((rule) => ({ rule, evidence: {} })) } };
}

/** The tally of some rows, of which the first has this place among all. */
function tallied(rows: readonly (typeof row extends fc.Arbitrary<infer Made> ? Made : never)[], first = 0): Tally {
  const tally = emptyTally();
  for (const [index, { label, receivedAt, ...sides }] of rows.entries()) {
    const judgment: RowJudgment = { old: judgmentOf(sides.old), new: judgmentOf(sides.new) };
    const event = { event_id: `event${first + index}`, timestamp: 1 };
    const read = {
      event,
      context: {},
      receivedAt,
      kind: "sealed",
      isArrivalKnown: true,
      checks: {},
      outcomes: [],
    } as const;
    addRow(tally, first + index, { row: label === undefined ? read : { ...read, label }, judgment }, OPTIONS);
  }
  return tally;
}

describe("tallies", () => {
  test("of parts add up to that of the whole, in whatever order they are added", () => {
    fc.assert(
      fc.property(fc.array(row), fc.nat(), fc.boolean(), (rows, cut, isTurned) => {
        const at = rows.length === 0 ? 0 : cut % rows.length;
        const parts = [tallied(rows.slice(0, at)), tallied(rows.slice(at), at)];
        const whole = emptyTally();
        for (const part of isTurned ? parts.toReversed() : parts) mergeTally(whole, part, OPTIONS);
        expect(whole).toEqual(tallied(rows));
        expect(JSON.stringify(summaryOf(whole))).toBe(JSON.stringify(summaryOf(tallied(rows))));
      }),
    );
  });

  test("keep no more examples than they are asked for", () => {
    const flip = { ruleset: "a" as const, rules: [], warming: [], isUndecided: false };
    const rows = Array.from({ length: 9 }, () => ({
      old: { ...flip, action: "allow" as const },
      new: { ...flip, action: "block" as const },
      label: undefined,
      receivedAt: 1,
    }));
    expect(
      tallied(rows)
        .examples.get("allow block")
        ?.map(({ event_id: id }) => id),
    ).toEqual(["event0", "event1"]);
  });
});
