import { isPassing, reportOutcome } from "@assay/ledger";
import { type Keys, type Outcome, ProblemError } from "@assay/protocol";
import type { Redis } from "ioredis";
import type { OutcomeReceipt } from "./transport.ts";

/** Where outcomes are kept. */
export interface ReportDeps {
  /** A connection for commands. */
  readonly redis: Redis;
  readonly keys: Keys;
  /** The installation's own. */
  readonly hashKey: string;
}

/**
 * Tells an outcome to the ledger under its id (`o_…`). Throws a ProblemError: `submission_not_found`,
 * `outcome_conflict`, `invalid_field` for a time that lies ahead, `overloaded`, or `unavailable`, after which it is not
 * known whether it was accepted: report it again with the same id.
 */
export async function report(
  { redis, keys, hashKey }: ReportDeps,
  id: string,
  outcome: Outcome,
): Promise<OutcomeReceipt> {
  const reported = await reportOutcome(redis, keys, { id, outcome }, hashKey).catch((error: unknown) => {
    throw error instanceof Error && isPassing(error) ? unconfirmed(id, error) : error;
  });
  switch (reported.status) {
    case "accepted":
    case "duplicate":
      return { id, submission_id: reported.submissionId, status: reported.status };
    case "conflict":
      throw new ProblemError(
        "outcome_conflict",
        "The Idempotency-Key was used before for another outcome or submission. Use a new key for a new outcome; a retry repeats the whole content.",
        { id },
      );
    case "missing":
      throw unknownSubmission(outcome, id);
    case "ahead":
      throw new ProblemError(
        "invalid_field",
        "occurred_at lies in the future. Send unix milliseconds, and set your server's clock by NTP.",
        { field: "occurred_at", id },
      );
    case "full":
      throw new ProblemError(
        "overloaded",
        "The submission is not decided yet, and 16 outcomes wait for that. Nothing was accepted: send this one again later.",
        { id },
      );
  }
}

/** Whether an outcome was accepted is not known. Retryable. */
export function unconfirmed(id: string, cause?: unknown): ProblemError {
  return new ProblemError(
    "unavailable",
    "It is not known whether the outcome was accepted: send it again with the same Idempotency-Key.",
    { id, cause },
  );
}

function unknownSubmission({ about }: Outcome, id: string): ProblemError {
  const kept = "A submission is remembered for ASSAY_IDEMPOTENCY_TTL_SECONDS after its decision, by default a day.";
  const detail =
    about.by === "submission_id"
      ? `No submission has this submission_id, or it is forgotten. ${kept}`
      : `No decided submission has this ${about.by}, or it is forgotten. ${kept} One that is not decided yet is found by its submission_id alone.`;
  return new ProblemError("submission_not_found", detail, { field: about.by, id });
}
