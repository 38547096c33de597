import { ACTIONS, type Action } from "./actions.ts";
import { ProblemError } from "./problem.ts";
import { UNDECIDED_CODES, type UndecidedCode } from "./undecided.ts";

/** What a test event's id asks for. */
export type TestEvent =
  /** A verdict with this action. */
  | { readonly kind: "action"; readonly action: Action }
  /** A verdict that is undecided for this reason, with the action that the ruleset gives it. */
  | { readonly kind: "undecided"; readonly code: UndecidedCode }
  /** A verdict that allows, about 5 s after the submission was received. */
  | { readonly kind: "slow" };

/** Fingerprint's own event ids never begin so. */
const PREFIX = "test_";

const TEST_EVENTS: ReadonlyMap<string, TestEvent> = new Map([
  ...ACTIONS.map((action): [string, TestEvent] => [`${PREFIX}${action}`, { kind: "action", action }]),
  [`${PREFIX}slow`, { kind: "slow" }],
  ...UNDECIDED_CODES.map((code): [string, TestEvent] => [`${PREFIX}undecided_${code}`, { kind: "undecided", code }]),
]);

/** Every id of a test event: `test_<action>`, `test_slow` and `test_undecided_<code>`. */
export const TEST_EVENT_IDS: readonly string[] = [...TEST_EVENTS.keys()];

/** Whether an event id is kept for tests. It may still be none of `TEST_EVENT_IDS`. */
export function isTestEventId(eventId: string): boolean {
  return eventId.startsWith(PREFIX);
}

/** The test event of an id; undefined for any other id. */
export function readTestEvent(eventId: string): TestEvent | undefined {
  return TEST_EVENTS.get(eventId);
}

/**
 * Keeps tests and visitors apart: a test event is for test keys alone, and a test key for test events alone. A visitor's
 * `test_allow`, passed on by a backend that trusts no browser, allows nobody. Throws a ProblemError `forbidden`.
 */
export function checkTestEvent(submission: { readonly test?: true }, { isTestKey }: { isTestKey: boolean }): void {
  const isTest = submission.test === true;
  if (isTest === isTestKey) return;
  throw new ProblemError(
    "forbidden",
    isTest
      ? "Event ids that begin with test_ are test events. Only a key with the role test may send them, or a client straight to Redis that was created with test: true."
      : `What is for tests may send nothing but test events: ${TEST_EVENT_IDS.join(", ")}. Send this submission by a key without the role test, or by a client without test: true.`,
    { field: "event_id" },
  );
}
