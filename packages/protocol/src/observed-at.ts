import type { Context } from "./context.ts";
import { ProblemError } from "./problem.ts";

const MAX_AGE_MS = 24 * 60 * 60 * 1000;
const MAX_CLOCK_SKEW_MS = 10_000;

/**
 * Refuses a context whose `observed_at` is more than 10 s after `receivedAt` (unix ms), or more than 24 h before it.
 * Throws a ProblemError that says what to send.
 */
export function checkObservedAt(context: Context | undefined, receivedAt: number): void {
  const observedAt = context?.observed_at;
  if (observedAt === undefined) return;
  if (observedAt > receivedAt + MAX_CLOCK_SKEW_MS) {
    throw invalid("lies in the future. Send unix milliseconds, and set your server's clock by NTP.");
  }
  if (observedAt < receivedAt - MAX_AGE_MS) {
    throw invalid("lies more than 24 hours back. Send unix milliseconds, not seconds; leave it out for older events.");
  }
}

function invalid(what: string): ProblemError {
  return new ProblemError("invalid_field", `context.observed_at ${what}`, { field: "context.observed_at" });
}
