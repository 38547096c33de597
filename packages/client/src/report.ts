import { isPassing, reportOutcome } from "@assay/ledger";
import { type Keys, type Outcome, ProblemError } from "@assay/protocol";
import type { Redis } from "ioredis";
import { refusedOutcome } from "./refused-outcome.ts";
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
    case "missing":
    case "ahead":
    case "full":
      throw refusedOutcome(reported.status, outcome, id);
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
