import type { Acceptance } from "@assay/ledger";
import { contentDigest, differingGroups, ProblemError, type Submission } from "@assay/protocol";

/** Redis, or the door before it, did not answer. Retryable. `id` says that a submission was on its way. */
export function unavailable(cause: unknown, id?: string): ProblemError {
  const detail =
    id === undefined
      ? "Assay could not be reached. Repeat the call, with its Idempotency-Key if it has one."
      : "It is not known whether the submission was accepted: send it again with the same Idempotency-Key.";
  return new ProblemError("unavailable", detail, { id, cause });
}

/** More is gathered here than may wait. Retryable; nothing was accepted. */
export function overloaded(): ProblemError {
  return new ProblemError("overloaded", "Too many submissions wait to be accepted. Send this one again in a moment.");
}

/** Nothing could ever bring the event: there is no API key to look it up by, and no webhook is taken. */
export function lookupsNotConfigured(id: string): ProblemError {
  return new ProblemError(
    "lookups_not_configured",
    "An event id alone cannot be judged here: the workers have no ASSAY_FINGERPRINT_API_KEYS, and no ingress takes webhooks. Configure one of them, or send sealed_result.",
    { field: "event_id", id },
  );
}

/** What is for tests tells no outcome: it could be of a visitor's submission. */
export function testsTellNothing(): ProblemError {
  return new ProblemError(
    "forbidden",
    "A client with test: true tells no outcomes. Report by a client without it, or by a key with the role submit.",
  );
}

/** The id is taken by other content; the detail names the groups that differ, `field` the first of them. */
export function conflict(acceptance: Pick<Acceptance, "id" | "digest">, submission: Submission): ProblemError {
  const groups = differingGroups(acceptance.digest, contentDigest(submission));
  const differs = groups.length === 0 ? "other content" : `another ${groups.join(", ")}`;
  return new ProblemError(
    "submission_conflict",
    `The Idempotency-Key was used before with ${differs}. Use a new key for a new operation; a retry repeats the whole content.`,
    { field: groups[0], id: acceptance.id },
  );
}

/** It was decided, but the verdict is no longer kept. */
export function expired(id: string): ProblemError {
  return new ProblemError("verdict_expired", "It was decided, but the verdict is no longer kept. Read it in time.", {
    id,
  });
}

/** A place in the stream that is none of Assay's. */
export function unknownPlace(field: string): ProblemError {
  return new ProblemError("invalid_field", `${field} must be the id that came with a verdict, as it was.`, { field });
}

/** `consume` over HTTP: groups, redelivery and dead letters are for a client with `connection`. */
export class NotOverHttpError extends Error {
  override readonly name = "NotOverHttpError";
  readonly code = "not_over_http";

  constructor(method: string) {
    super(`${method} needs a client with { connection }. Over HTTP, use subscribe or tail.`);
  }
}

/** The libraries that a client straight to Redis needs are not installed. */
export class PeersMissingError extends Error {
  override readonly name = "PeersMissingError";
  readonly code = "peers_missing";

  constructor(cause: unknown) {
    super("A client with { connection } needs two more libraries: npm install bullmq@6.7.0 ioredis@6.0.0", { cause });
  }
}
