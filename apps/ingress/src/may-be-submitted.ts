import { mayDo, ProblemError, type Role } from "@assay/protocol";

/**
 * Refuses an event that a key of these roles may not submit: one without `submit` is for test events alone. Throws a
 * ProblemError `forbidden`.
 */
export function checkMayBeSubmitted(roles: readonly Role[], _eventId: string | undefined): void {
  if (mayDo(roles, "submit")) return;
  throw new ProblemError("forbidden", "This key may only submit test events: event_id test_allow, …", {
    field: "event_id",
  });
}
