import type { Acceptance } from "@assay/ledger";
import { contentDigest, differingGroups, ProblemError, type Submission } from "@assay/protocol";

/** What to do when it is not known whether something was accepted. */
const RETRY = "It is not known whether the submission was accepted: send it again with the same Idempotency-Key.";

/** Redis, or the door before it, did not answer. Retryable. */
export function unavailable(cause: unknown, id?: string): ProblemError {
  return new ProblemError("unavailable", `Assay could not be reached. ${RETRY}`, { id, cause });
}

/** More is gathered here than may wait. Retryable; nothing was accepted. */
export function overloaded(): ProblemError {
  return new ProblemError("overloaded", "Too many submissions wait to be accepted. Send this one again in a moment.");
}

/** The id is taken by other content; the detail names the groups that differ, `field` the first of them. */
export function conflict(acceptance: Acceptance, submission: Submission): ProblemError {
  const groups = differingGroups(acceptance.digest, contentDigest(submission));
  const differs = groups.length === 0 ? "other content" : `another ${groups.join(", ")}`;
  return new ProblemError(
    "submission_conflict",
    `The Idempotency-Key was used before with ${differs}. Use a new key for a new operation; a retry repeats the whole content.`,
    { field: groups[0], id: acceptance.id },
  );
}
