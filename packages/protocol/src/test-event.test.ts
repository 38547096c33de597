import { describe, expect, test } from "vitest";
import { ACTIONS } from "./actions.ts";
import { readSubmission } from "./submission.ts";
import { checkTestEvent, isTestEventId, readTestEvent, TEST_EVENT_IDS } from "./test-event.ts";
import { UNDECIDED_CODES } from "./undecided.ts";

const SEALED = Buffer.from("sealed").toString("base64");
const REAL_ID = "1708102555327.NLOjmg";

describe("readTestEvent", () => {
  test.each(ACTIONS)("knows an event of the action %s", (action) => {
    expect(readTestEvent(`test_${action}`)).toEqual({ kind: "action", action });
  });

  test.each(UNDECIDED_CODES)("knows an event that is undecided for %s", (code) => {
    expect(readTestEvent(`test_undecided_${code}`)).toEqual({ kind: "undecided", code });
  });

  test("knows a slow event", () => {
    expect(readTestEvent("test_slow")).toEqual({ kind: "slow" });
  });

  test.each([REAL_ID, "test_", "test_deny", "test_undecided_", "test_allow ", "Test_allow", "allow"])(
    "knows no event %j",
    (eventId) => {
      expect(readTestEvent(eventId)).toBeUndefined();
    },
  );

  test("knows all that are listed, and each is kept for tests", () => {
    expect(TEST_EVENT_IDS).toHaveLength(ACTIONS.length + UNDECIDED_CODES.length + 1);
    expect(TEST_EVENT_IDS.filter((id) => readTestEvent(id) === undefined || !isTestEventId(id))).toEqual([]);
  });
});

describe("readSubmission", () => {
  test.each(TEST_EVENT_IDS)("marks %s as a test", (eventId) => {
    expect(readSubmission({ event_id: eventId }).submission).toEqual({ kind: "lookup", event_id: eventId, test: true });
  });

  test.each([{ event_id: REAL_ID }, { event_id: "Test_allow" }, { sealed_result: SEALED }])(
    "marks %j as no test",
    (body) => {
      expect(readSubmission(body).submission).not.toHaveProperty("test");
    },
  );

  test.each(["test_deny", "test_", "test_undecided_", "test_ALLOW"])("refuses %s, and lists what there is", (id) => {
    expect(() => readSubmission({ event_id: id })).toThrow(
      expect.objectContaining({
        code: "invalid_field",
        field: "event_id",
        message: expect.stringContaining(TEST_EVENT_IDS.join(", ")),
      }),
    );
  });

  test.each(["test_allow", "test_deny"])("refuses %s beside a sealed result", (event_id) => {
    expect(() => readSubmission({ event_id, sealed_result: SEALED })).toThrow(
      expect.objectContaining({
        code: "invalid_field",
        field: "event_id",
        message: expect.stringContaining("without sealed_result"),
      }),
    );
  });
});

describe("checkTestEvent", () => {
  test("lets test keys send test events, and other keys all others", () => {
    expect(() => checkTestEvent({ test: true }, { isTestKey: true })).not.toThrow();
    expect(() => checkTestEvent({}, { isTestKey: false })).not.toThrow();
  });

  test.each([
    ["a test event by another key", { test: true }, false],
    ["another event by a test key", {}, true],
  ] as const)("forbids %s", (_, submission, isTestKey) => {
    expect(() => checkTestEvent(submission, { isTestKey })).toThrow(
      expect.objectContaining({ code: "forbidden", field: "event_id", retryable: false }),
    );
  });
});
