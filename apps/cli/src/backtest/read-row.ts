import { type ChosenField, toEvent } from "@assay/fingerprint";
import { CHECK_NAMES, type Checks, closestName, isRecord, type Kind, KINDS, type Label, LABELS } from "@assay/protocol";
import { ProblemError, readContext } from "@assay/protocol";
import type { BacktestRow, PastOutcome } from "@assay/rules/backtest";
import { REFUSALS } from "../event-input.ts";

/** A row, or why a line is none; the reason holds nothing of what the line says about a visitor. */
export type ReadRow = { readonly ok: true; readonly row: BacktestRow } | { readonly ok: false; readonly why: string };

type Writable<Given> = { -readonly [Name in keyof Given]: Given[Name] };

/** What is wrong with a line. */
class LineFault extends Error {}

const FIELDS = ["event", "context", "received_at", "kind", "checks", "ruleset", "label", "outcomes"];
const NUMBERS = ["event_age_seconds", "use_count"] as const;
const CHECKS = [...CHECK_NAMES, ...NUMBERS];
const OUTCOME_FIELDS = ["outcome", "label", "occurred_at"];
// Every time in seconds lies below it, for as long as this matters.
const EARLIEST_MS = 1e12;

/**
 * Reads a line: a row, or a bare event, which was then received when it was made. Nulls mean absent. Of a v4 event only
 * `fields` are read; all of them when it is left out. Never throws.
 */
export function readRow(line: string, fields?: readonly ChosenField[]): ReadRow {
  return readRowFrom(() => JSON.parse(line), fields);
}

/** The same of what `parse` gives. What that throws makes no row. */
export function readRowFrom(parse: () => unknown, fields: readonly ChosenField[] | undefined): ReadRow {
  try {
    return { ok: true, row: rowOf(parse(), fields) };
  } catch (error) {
    if (error instanceof LineFault || error instanceof ProblemError) return { ok: false, why: error.message };
    // The parser's own message repeats a part of the line.
    return { ok: false, why: "it is no JSON of at most 1 MiB." };
  }
}

function rowOf(json: unknown, fields: readonly ChosenField[] | undefined): BacktestRow {
  if (!isRecord(json)) throw new LineFault("it holds no JSON object.");
  // No event of Fingerprint's has a field of this name.
  const isBare = !Object.hasOwn(json, "event");
  const given = isBare ? json : json["event"];
  const read = toEvent(given, fields);
  if (!read.ok) {
    const hint = isBare && Object.hasOwn(json, "received_at") ? " A row has its event under event." : "";
    throw new LineFault(`${isBare ? "it" : "event"} is no event: ${REFUSALS[read.reason]}.${hint}`);
  }
  const { event } = read;
  const said = isBare ? {} : json;
  refuseUnknown(said, FIELDS);
  const { context, received_at: receivedAt, kind, checks, ruleset, label, outcomes } = said;
  const told = readOutcomes(outcomes);
  // The last word on a visitor.
  const lastLabel = readLabel(label) ?? told.findLast((one) => one.label !== undefined)?.label;
  const row: Writable<BacktestRow> = {
    event,
    context: isAbsent(context) ? {} : readContext(context).context,
    receivedAt: readTime(receivedAt, "received_at") ?? event.timestamp,
    isArrivalKnown: !isAbsent(context) && !isAbsent(receivedAt),
    kind: readKind(kind),
    checks: readChecks(checks),
    outcomes: told,
  };
  // Filled in: a spread would make every later look at a row several times as slow.
  if (!isAbsent(ruleset)) row.ruleset = readText(ruleset, "ruleset");
  if (lastLabel !== undefined) row.label = lastLabel;
  return row;
}

function readOutcomes(given: unknown): PastOutcome[] {
  if (isAbsent(given)) return [];
  if (!Array.isArray(given)) throw new LineFault("outcomes must be a list.");
  return given.map((told: unknown) => {
    if (!isRecord(told)) throw new LineFault("outcomes must hold objects.");
    refuseUnknown(told, OUTCOME_FIELDS);
    const { outcome, label: givenLabel } = told;
    const label = readLabel(givenLabel);
    const occurredAt = readTime(told["occurred_at"], "occurred_at");
    if (occurredAt === undefined) throw new LineFault("an outcome needs occurred_at, as counters count by time.");
    return {
      occurredAt,
      ...(isAbsent(outcome) ? {} : { outcome: readText(outcome, "outcome") }),
      ...(label === undefined ? {} : { label }),
    };
  });
}

function readChecks(given: unknown): Checks {
  if (isAbsent(given)) return {};
  if (!isRecord(given)) throw new LineFault("checks must be an object.");
  refuseUnknown(given, CHECKS);
  const checks: Checks = {};
  for (const name of CHECK_NAMES) {
    const value = given[name];
    if (isAbsent(value)) continue;
    if (typeof value !== "boolean") throw new LineFault(`checks.${name} must be true or false.`);
    checks[name] = value;
  }
  for (const name of NUMBERS) {
    const value = given[name];
    if (isAbsent(value)) continue;
    if (typeof value !== "number") throw new LineFault(`checks.${name} must be a number.`);
    checks[name] = value;
  }
  return checks;
}

function readKind(given: unknown): Kind {
  if (isAbsent(given)) return "sealed";
  return oneOf(given, KINDS) ?? refuse(`kind must be one of ${KINDS.join(", ")}.`);
}

function readLabel(given: unknown): Label | undefined {
  return isAbsent(given) ? undefined : (oneOf(given, LABELS) ?? refuse("label must be fraud or legit."));
}

function oneOf<Known extends string>(given: unknown, known: readonly Known[]): Known | undefined {
  return known.find((one) => one === given);
}

function readText(given: unknown, name: string): string {
  return typeof given === "string" && given !== "" ? given : refuse(`${name} must be a text.`);
}

function readTime(given: unknown, name: string): number | undefined {
  if (isAbsent(given)) return undefined;
  if (typeof given === "number" && Number.isSafeInteger(given) && given >= EARLIEST_MS) return given;
  throw new LineFault(`${name} must be a time in unix milliseconds, not seconds, as a whole number.`);
}

function refuseUnknown(given: Record<string, unknown>, known: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const meant = closestName(name, known);
    // A name that is none of ours could be anybody's data.
    throw new LineFault(
      meant === undefined
        ? `it has a field that is not known here. Known are: ${known.join(", ")}.`
        : `it has a field that is not known here. Did you mean ${meant}?`,
    );
  }
}

function refuse(message: string): never {
  throw new LineFault(message);
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}
