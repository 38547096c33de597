import type { Action } from "@assay/protocol";
import type { FaultList } from "./fault.ts";
import { type Entry, readEntries, readNumber, refuseUnknown } from "./yaml-entries.ts";

/** An action and the least score that takes it. */
export interface Threshold {
  readonly action: Action;
  readonly score: number;
}

const KEYS = ["challenge", "review", "block"] as const;

/** Reads `thresholds:`, which must rise from challenge over review to block; each may be missing. */
export function readThresholds(entry: Entry | undefined, faults: FaultList): Threshold[] {
  if (entry === undefined) return [];
  const entries = readEntries(entry.value, entry.valueAt, "thresholds", faults);
  refuseUnknown(entries, "thresholds", KEYS, [], faults);
  const thresholds: Threshold[] = [];
  for (const action of KEYS) {
    const given = entries.find(({ name }) => name === action);
    const score = given && readNumber(given, 1, 100_000, faults);
    if (given === undefined || score === undefined) continue;
    const milder = thresholds.at(-1);
    if (milder !== undefined && score <= milder.score) {
      faults.add(given.valueAt, `${action} must be above ${milder.action}, which begins at ${milder.score}.`);
    }
    thresholds.push({ action, score });
  }
  return thresholds;
}

/** The most severe action whose least score is reached; allow when none is. */
export function thresholdAction(thresholds: readonly Threshold[], score: number): Action {
  return thresholds.findLast((threshold) => threshold.score <= score)?.action ?? "allow";
}
