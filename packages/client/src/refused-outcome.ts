import type { Reported } from "@assay/ledger";
import { type Outcome, ProblemError } from "@assay/protocol";

/** Why an outcome is not taken. */
export type OutcomeRefusal = Exclude<Reported["status"], "accepted" | "duplicate">;

/** What is said of an outcome that is not taken. `id` is the outcome's own. */
export function refusedOutcome(refusal: OutcomeRefusal, outcome: Outcome, id: string): ProblemError {
  switch (refusal) {
    case "conflict":
      return new ProblemError(
        "outcome_conflict",
        "The Idempotency-Key was used before for another outcome or submission. Use a new key for a new outcome; a retry repeats the whole content.",
        { id },
      );
    case "missing":
      return unknownSubmission(outcome, id);
    case "ahead":
      return new ProblemError(
        "invalid_field",
        "occurred_at lies in the future. Send unix milliseconds, and set your server's clock by NTP.",
        { field: "occurred_at", id },
      );
    case "full":
      return new ProblemError(
        "overloaded",
        "The submission is not decided yet, and 16 outcomes wait for that. Nothing was accepted: send this one again later.",
        { id },
      );
  }
}

function unknownSubmission({ about }: Outcome, id: string): ProblemError {
  const kept = "A submission is remembered for ASSAY_IDEMPOTENCY_TTL_SECONDS after its decision, by default a day.";
  const detail =
    about.by === "submission_id"
      ? `No submission has this submission_id, or it is forgotten. ${kept}`
      : `No decided submission has this ${about.by}, or it is forgotten. ${kept} One that is not decided yet is found by its submission_id alone.`;
  return new ProblemError("submission_not_found", detail, { field: about.by, id });
}
