import type { Work } from "@assay/ledger";
import { ACTIONS, UNDECIDED_CODES } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { decideTest, sourceTest } from "./test-event.ts";

const RECEIVED_AT = 1_795_000_000_000;

function aTest(eventId: string): Work {
  const meta = { kind: "lookup", event_id: eventId, test: true } as const;
  return { id: `s_${"a".repeat(26)}`, meta, receivedAt: RECEIVED_AT, tries: 1, retries: 0 };
}

describe("sourceTest", () => {
  test.each(ACTIONS)("takes test_%s for that action", (action) => {
    expect(sourceTest(aTest(`test_${action}`), RECEIVED_AT)).toEqual({ status: "tested", action });
  });

  test.each(UNDECIDED_CODES)("takes test_undecided_%s for that code", (code) => {
    expect(sourceTest(aTest(`test_undecided_${code}`), RECEIVED_AT)).toEqual({ status: "undecided", code });
  });

  test("lets test_slow wait, without spending a retry, until 5 s after it was received", () => {
    const until = RECEIVED_AT + 5000;
    const wait = { status: "wait", why: "test_slow", until, spendsRetry: false };
    expect(sourceTest(aTest("test_slow"), RECEIVED_AT + 1)).toEqual(wait);
    expect(sourceTest(aTest("test_slow"), until - 1)).toEqual(wait);
    expect(sourceTest(aTest("test_slow"), until)).toEqual({ status: "tested", action: "allow" });
  });

  test("ends undecided on a test event of a later version", () => {
    const undecided = { status: "undecided", code: "internal_error" };
    expect(sourceTest(aTest("test_of_tomorrow"), RECEIVED_AT)).toEqual(undecided);
  });
});

describe("decideTest", () => {
  test("gives the action as its only reason, and asks no rule", () => {
    expect(decideTest(aTest("test_block"), "block")).toMatchObject({
      action: "block",
      score: 0,
      reasons: [{ rule: "test", action: "block", message: "Test event", evidence: { event_id: "test_block" } }],
      unknown: [],
      coverage: { rules: 0, judged: 0 },
    });
  });
});
