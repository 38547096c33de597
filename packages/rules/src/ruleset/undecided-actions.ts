import { ACTIONS, type Action, UNDECIDED_CODES, type UndecidedCode } from "@assay/protocol";
import type { FaultList } from "./fault.ts";
import { type Entry, readChoice, readEntries, refuseUnknown } from "./yaml-entries.ts";

/** The action for each code that is named, and for all others. */
export type UndecidedActions = ReadonlyMap<UndecidedCode | "default", Action>;

export const UNDECIDED_KEYS: readonly (UndecidedCode | "default")[] = ["default", ...UNDECIDED_CODES];

/** Reads `undecided:`. What cannot be decided is reviewed unless the ruleset says otherwise. */
export function readUndecidedActions(entry: Entry | undefined, faults: FaultList): UndecidedActions {
  const actions = new Map<UndecidedCode | "default", Action>([["default", "review"]]);
  if (entry === undefined) return actions;
  const entries = readEntries(entry.value, entry.valueAt, "undecided", faults);
  refuseUnknown(entries, "undecided", UNDECIDED_KEYS, faults);
  for (const key of UNDECIDED_KEYS) {
    const given = entries.find(({ name }) => name === key);
    const action = given && readChoice(given, ACTIONS, faults);
    if (action !== undefined) actions.set(key, action);
  }
  return actions;
}
