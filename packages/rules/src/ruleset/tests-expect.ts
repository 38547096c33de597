import { ACTIONS, type Action, closestName } from "@assay/protocol";
import type { FaultList } from "./fault.ts";
import { type Entry, readChoice, readEntries, readNumber, readTexts, refuseUnknown } from "./yaml-entries.ts";

/** What must come of a test's input; what is absent may be anything. */
export interface Expected {
  /** In observe mode, the action that enforce mode would have taken. */
  readonly action?: Action;
  readonly score?: number;
  /** Ids of all live rules whose condition was true. */
  readonly rules?: readonly string[];
  /** The same of the rules in shadow. */
  readonly shadow?: readonly string[];
  /** Ids of all live rules that could not be judged. */
  readonly unknown?: readonly string[];
}

export const EXPECT_KEYS = ["action", "score", "rules", "shadow", "unknown"] as const;

/** Reads `expect:`. Undefined, with a fault, when nothing is expected. */
export function readExpected(
  entry: Entry | undefined,
  { at, ruleIds, faults }: { at: number; ruleIds: readonly string[] | undefined; faults: FaultList },
): Expected | undefined {
  const entries = entry === undefined ? [] : readEntries(entry.value, entry.valueAt, "expect", faults);
  refuseUnknown(entries, "expect", EXPECT_KEYS, faults);
  if (entries.length === 0) {
    faults.add(entry?.nameAt ?? at, `A test must expect something: ${EXPECT_KEYS.join(", ")}.`);
    return undefined;
  }
  const named = (key: string) => entries.find(({ name }) => name === key);
  const [actionEntry, scoreEntry, ...idEntries] = EXPECT_KEYS.map(named);
  const action = actionEntry && readChoice(actionEntry, ACTIONS, faults);
  const score = scoreEntry && readNumber(scoreEntry, 0, 100_000, faults);
  const [rules, shadow, unknown] = idEntries.map((ids) => ids && readIds(ids, ruleIds, faults));
  return {
    ...(action === undefined ? {} : { action }),
    ...(score === undefined ? {} : { score }),
    ...(rules === undefined ? {} : { rules }),
    ...(shadow === undefined ? {} : { shadow }),
    ...(unknown === undefined ? {} : { unknown }),
  };
}

function readIds(entry: Entry, ruleIds: readonly string[] | undefined, faults: FaultList): string[] {
  return readTexts(entry, faults).map(({ text: id, at }) => {
    if (ruleIds !== undefined && !ruleIds.includes(id)) {
      const meant = closestName(id, ruleIds);
      faults.add(at, `There is no rule ${id}.${meant === undefined ? "" : ` Did you mean ${meant}?`}`);
    }
    return id;
  });
}
