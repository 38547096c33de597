import { createHash } from "node:crypto";
import { closestName } from "./closest-name.ts";
import { isRecord, unknownField } from "./context.ts";
import { canonicalJson } from "./digest.ts";
import { isSubmissionId } from "./ids.ts";
import { ProblemError } from "./problem.ts";
import { absent, isEventId } from "./submission.ts";

/** What an outcome can say about who the visitor turned out to be. */
export const LABELS = ["fraud", "legit"] as const;

export type Label = (typeof LABELS)[number];

/** What a caller hands in by `POST /v1/outcomes` and by the client: which submission, and what became of it. */
export interface OutcomeInput {
  /** Of `submission_id`, `event_id` and `reference` exactly one. */
  submission_id?: string;
  /** The latest decided submission of this event. */
  event_id?: string;
  /** The latest decided submission with this `context.reference`. */
  reference?: string;
  /** What happened, in the caller's words: `login_failed`, `chargeback`. */
  outcome?: string;
  label?: Label;
  /** Unix ms; the moment it is told when absent. */
  occurred_at?: number;
}

/** An outcome that has been read. At least one of `outcome` and `label` is there. */
export interface Outcome {
  readonly about: { readonly by: "submission_id" | "event_id" | "reference"; readonly value: string };
  readonly outcome?: string;
  readonly label?: Label;
  readonly occurred_at?: number;
}

/** What `outcome` may be. */
export const OUTCOME_NAME = /^[a-z0-9_-]{1,64}$/;

/** Longest body of `POST /v1/outcomes`. */
export const MAX_OUTCOME_BYTES = 4096;

const ABOUT = ["submission_id", "event_id", "reference"] as const;
const FIELDS = [...ABOUT, "outcome", "label", "occurred_at"];
const MAX_REFERENCE = 256;
// Every time in seconds lies below it, for as long as this matters.
const EARLIEST_MS = 1e12;

/**
 * Reads the body of an outcome. Nulls mean absent; near-misses of our names are refused with the right spelling.
 * Throws a ProblemError that names the field and the fix.
 */
export function readOutcome(body: unknown): Outcome {
  if (!isRecord(body))
    throw new ProblemError("invalid_field", "The body must be a JSON object: a submission and what became of it.");
  for (const name of Object.keys(body)) {
    if (!FIELDS.includes(name)) throw unknownField("", name, FIELDS, meantBy(name));
  }
  const about = readAbout(body);
  const outcome = readName(body["outcome"]);
  const label = readLabel(body["label"]);
  const occurredAt = readTime(body["occurred_at"]);
  if (outcome === undefined && label === undefined) {
    throw new ProblemError("missing_field", "Send outcome, for example login_failed, or label: fraud or legit.", {
      field: "outcome",
    });
  }
  return {
    about,
    ...(outcome === undefined ? {} : { outcome }),
    ...(label === undefined ? {} : { label }),
    ...(occurredAt === undefined ? {} : { occurred_at: occurredAt }),
  };
}

/** Equal digests are the same outcome told again. */
export function outcomeDigest(outcome: Outcome): string {
  return createHash("sha256").update(canonicalJson(outcome)).digest("base64url").slice(0, 22);
}

function meantBy(name: string): string | undefined {
  // No edit distance finds these: what agent 3 called the event id, the id of a receipt, where a submission has it.
  if (/^request_?id$/i.test(name)) return "event_id";
  if (name === "id") return "submission_id";
  if (name === "context") return "reference";
  return closestName(name, FIELDS);
}

function readAbout(body: Record<string, unknown>): Outcome["about"] {
  const named = ABOUT.filter((field) => !absent(body[field]));
  const [by, second] = named;
  if (by === undefined) {
    throw new ProblemError("missing_field", "Send submission_id, event_id or reference: whose outcome is it?", {
      field: "submission_id",
    });
  }
  if (second !== undefined) {
    throw invalid(second, `${named.join(" and ")} may name different submissions. Send exactly one of them.`);
  }
  const value = body[by];
  switch (by) {
    case "submission_id":
      if (typeof value === "string" && isSubmissionId(value)) return { by, value };
      throw invalid(by, "submission_id must be the id that a submission was answered with: s_ and 26 characters.");
    case "event_id":
      if (typeof value === "string" && isEventId(value)) return { by, value };
      throw invalid(by, "event_id must be the agent's event_id: 1 to 64 characters of A-Z, a-z, 0-9, . _ and -.");
    case "reference":
      if (typeof value === "string" && value !== "" && value.length <= MAX_REFERENCE) return { by, value };
      throw invalid(by, `reference must be the context.reference of a submission: 1 to ${MAX_REFERENCE} characters.`);
  }
}

function readName(given: unknown): string | undefined {
  if (absent(given)) return undefined;
  if (typeof given === "string" && OUTCOME_NAME.test(given)) return given;
  throw invalid("outcome", "outcome must be 1 to 64 characters of a-z, 0-9, _ and -, for example login_failed.");
}

function readLabel(given: unknown): Label | undefined {
  if (absent(given)) return undefined;
  const label = LABELS.find((known) => known === given);
  if (label !== undefined) return label;
  throw invalid("label", "label must be fraud or legit. What happened, in your own words, is outcome.");
}

function readTime(given: unknown): number | undefined {
  if (absent(given)) return undefined;
  if (typeof given === "number" && Number.isSafeInteger(given) && given >= EARLIEST_MS) return given;
  throw invalid("occurred_at", "occurred_at must be a time in unix milliseconds, not seconds, as a whole number.");
}

function invalid(field: string, detail: string): ProblemError {
  return new ProblemError("invalid_field", detail, { field });
}
