import { isScalar } from "yaml";
import { calendarDayMs } from "./calendar-day.ts";
import type { FaultList } from "./fault.ts";
import { type Entry, readText, readTexts } from "./yaml-entries.ts";

const DAY_MS = 86_400_000;
const MAX_TAGS = 16;
const TAG = /^.{1,64}$/;

/** The percent of `rollout: 10%`, the share of visitors that a rule is live for. */
export function readRollout(entry: Entry, faults: FaultList): number | undefined {
  const value = isScalar(entry.value) ? entry.value.value : undefined;
  const [, digits] = typeof value === "string" ? (/^(\d{1,3}(?:\.\d{1,6})?)%$/.exec(value) ?? []) : [];
  const percent = Number(digits);
  if (digits !== undefined && percent <= 100) return percent;
  faults.add(entry.valueAt, "rollout must be a share of the visitors from 0% to 100%, such as 10% or 0.5%.");
  return undefined;
}

/** Who answers for a rule. */
export function readOwner(entry: Entry, faults: FaultList): string | undefined {
  return readText(entry, /^.{1,256}$/, "one line of at most 256 characters", faults);
}

/** The day by which a rule wants to be looked at again; a warning when that day is over. */
export function readReviewBy(
  entry: Entry,
  { faults, nowMs }: { faults: FaultList; nowMs?: number | undefined },
): string | undefined {
  const hint = "a day, such as 2027-03-01";
  const day = readText(entry, /./, hint, faults);
  if (day === undefined) return undefined;
  const startMs = calendarDayMs(day);
  if (startMs === undefined) {
    faults.add(entry.valueAt, `review_by must be ${hint}.`);
    return undefined;
  }
  if (nowMs !== undefined && nowMs >= startMs + DAY_MS) {
    faults.warn(entry.valueAt, "This day is over: the rule is due for a review. Look at it, then set a later day.");
  }
  return day;
}

/** Words to find a rule by. */
export function readTags(entry: Entry, faults: FaultList): string[] {
  const tags = readTexts(entry, faults);
  if (tags.length > MAX_TAGS) faults.add(entry.valueAt, `A rule may have at most ${MAX_TAGS} tags.`);
  for (const { text, at } of tags) {
    if (!TAG.test(text)) faults.add(at, "A tag is one line of at most 64 characters.");
  }
  return tags.map(({ text }) => text);
}
