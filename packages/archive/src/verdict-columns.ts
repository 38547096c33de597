import { isRecord } from "@assay/protocol";
import { ArchiveError } from "./archive-error.ts";

/** What the archive finds verdicts by. */
export interface VerdictColumns {
  readonly id: string;
  readonly receivedAt: number;
  readonly decidedAt: number;
  readonly kind: string;
  readonly action: string;
  readonly score: number;
  readonly flow: string | undefined;
  readonly userId: string | undefined;
  readonly reference: string | undefined;
  readonly visitorId: string | undefined;
  readonly linkedId: string | undefined;
  readonly eventId: string | undefined;
  readonly ruleset: string;
  readonly rulesetDigest: string;
  readonly engine: string;
  readonly rules: readonly string[];
  readonly undecided: string | undefined;
  readonly late: boolean;
}

/** Longest text of a column, in characters: an index holds no long ones. The verdict itself is kept whole. */
const MAX_COLUMN = 256;
/** Days of these years have names of eight digits. */
const [EARLIEST_MS, LATEST_MS] = [Date.UTC(2000, 0), Date.UTC(9999, 0)];

/** Reads the columns of a verdict's JSON. Throws an ArchiveError for what is no verdict. */
export function verdictColumns(json: string): VerdictColumns {
  const verdict = parse(json);
  const [context, ruleset, undecided] = [verdict["context"], verdict["ruleset"], verdict["undecided"]].map((part) =>
    isRecord(part) ? part : {},
  );
  const reasons = Array.isArray(verdict["reasons"]) ? verdict["reasons"] : [];
  return {
    id: text(verdict, "id"),
    receivedAt: time(verdict, "received_at"),
    decidedAt: time(verdict, "decided_at"),
    kind: text(verdict, "kind"),
    action: text(verdict, "action"),
    score: number(verdict, "score"),
    flow: column(context?.["flow"]),
    userId: column(context?.["user_id"]),
    reference: column(context?.["reference"]),
    visitorId: column(verdict["visitor_id"]),
    linkedId: column(verdict["linked_id"]),
    eventId: column(verdict["event_id"]),
    ruleset: text(ruleset, "name"),
    rulesetDigest: text(ruleset, "digest"),
    engine: text(ruleset, "engine"),
    rules: reasons.flatMap((reason: unknown) => (isRecord(reason) ? (column(reason["rule"]) ?? []) : [])),
    undecided: column(undecided?.["code"]),
    late: verdict["late"] === true,
  };
}

/**
 * A text as a column holds it, and as a query asks for it: at most 256 characters, without U+0000, which Postgres has
 * not. Undefined for anything else.
 */
export function column(value: unknown): string | undefined {
  return typeof value === "string" ? value.slice(0, MAX_COLUMN).replaceAll("\0", "\uFFFD") : undefined;
}

function parse(json: string): Record<string, unknown> {
  try {
    const verdict: unknown = JSON.parse(json);
    if (isRecord(verdict)) return verdict;
  } catch {
    // What the parser says holds the verdict's text.
  }
  throw new ArchiveError("archive_rejected", "This is no verdict: it is not a JSON object.");
}

function text(of: Record<string, unknown> | undefined, name: string): string {
  return column(of?.[name]) ?? refuse(name);
}

function number(of: Record<string, unknown>, name: string): number {
  const value = of[name];
  return typeof value === "number" ? value : refuse(name);
}

function time(of: Record<string, unknown>, name: string): number {
  const value = number(of, name);
  return Number.isInteger(value) && value >= EARLIEST_MS && value < LATEST_MS ? value : refuse(name);
}

function refuse(name: string): never {
  throw new ArchiveError("archive_rejected", `This is no verdict: ${name} is not there, or not what it must be.`);
}
