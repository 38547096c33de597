import type { Action } from "@assay/protocol";
import type { FaultList } from "./fault.ts";
import { type Entry, readEntries, readNumber, refuseUnknown } from "./yaml-entries.ts";

/** An action and the least score that takes it. */
export interface Threshold {
  readonly action: Action;
  readonly score: number;
}

export const THRESHOLD_KEYS = ["challenge", "review", "block"] as const;

/**
 * Reads `thresholds:`, which must rise from challenge over review to block; each may be missing. One that the rules'
 * scores can never reach is a fault; rules that could not all be read are not asked.
 */
export function readThresholds(
  entry: Entry | undefined,
  rules: readonly { readonly score?: number }[] | undefined,
  faults: FaultList,
): Threshold[] {
  if (entry === undefined) return [];
  const most = rules && greatestScore(rules);
  const entries = readEntries(entry.value, entry.valueAt, "thresholds", faults);
  refuseUnknown(entries, "thresholds", THRESHOLD_KEYS, faults);
  const thresholds: Threshold[] = [];
  for (const action of THRESHOLD_KEYS) {
    const given = entries.find(({ name }) => name === action);
    const score = given && readNumber(given, 1, 100_000, faults);
    if (given === undefined || score === undefined) continue;
    const milder = thresholds.at(-1);
    if (milder !== undefined && score <= milder.score) {
      faults.add(given.valueAt, `${action} must be above ${milder.action}, which begins at ${milder.score}.`);
    }
    if (most !== undefined && score > most) {
      faults.add(
        given.valueAt,
        `thresholds.${action}: ${score} can never be reached: all positive scores add up to ${most}.`,
      );
    }
    thresholds.push({ action, score });
  }
  return thresholds;
}

// Rules that are off or in shadow count, as they may be switched on without a look at the thresholds.
function greatestScore(rules: readonly { readonly score?: number }[]): number {
  const sum = rules.reduce((total, { score = 0 }) => total + Math.max(0, score), 0);
  return Math.round(sum * 1e6) / 1e6;
}

/** The most severe action whose least score is reached; allow when none is. */
export function thresholdAction(thresholds: readonly Threshold[], score: number): Action {
  let reached: Action = "allow";
  for (const threshold of thresholds) if (threshold.score <= score) reached = threshold.action;
  return reached;
}
