import type { Producer } from "@assay/client/producer";
import type { Acceptance, Arrival } from "@assay/ledger";
import { laneOf, ProblemError } from "@assay/protocol";
import type { Admission } from "./admission.ts";
import type { IngressMetrics, SubmissionOutcome } from "./metrics.ts";
import { withId } from "./problems.ts";
import { within } from "./within.ts";

/** Longest time that an answer waits for Redis: a command gives up after 2 s, what is queued behind it a little later. */
export const REDIS_ANSWER_MS = 2400;

/** What every door for submissions needs. */
export interface AcceptDeps {
  readonly producer: Producer;
  readonly admission: Pick<Admission, "admits">;
  readonly metrics: IngressMetrics;
}

export interface AcceptOptions {
  /** How long the caller waits for the confirmation, in ms; never more than 2.4 s. */
  readonly withinMs: number;
  /** Whether somebody waits for the verdict. */
  readonly awaited: boolean;
}

/**
 * Hands one arrival in and counts what became of it. Throws a ProblemError with the submission's id: `memory_shed`,
 * `not_confirmed` when the time is over, or what the producer throws.
 */
export async function acceptArrival(deps: AcceptDeps, arrival: Arrival, options: AcceptOptions): Promise<Acceptance> {
  const { kind } = arrival.submission;
  const lane = laneOf(kind);
  const startedAt = performance.now();
  const count = (outcome: SubmissionOutcome) =>
    deps.metrics.submission(kind, outcome, (performance.now() - startedAt) / 1000);
  try {
    if (!deps.admission.admits(lane)) {
      deps.metrics.shed(lane, "memory");
      throw memoryShed();
    }
    const submitted = deps.producer.submit(arrival, { awaited: options.awaited });
    const acceptance = await within(submitted, Math.min(options.withinMs, REDIS_ANSWER_MS), notConfirmed);
    count(acceptance.status);
    return acceptance;
  } catch (error) {
    const outcome = outcomeOf(error);
    if (outcome !== undefined) count(outcome);
    throw withId(error, arrival.id);
  }
}

/** Undefined for what is wrong with the submission itself. */
function outcomeOf(error: unknown): SubmissionOutcome | undefined {
  const code = error instanceof ProblemError ? error.code : undefined;
  if (code === "lookups_not_configured") return undefined;
  if (code === "submission_conflict") return "conflict";
  return code === "overloaded" || code === "memory_shed" ? "shed" : "unconfirmed";
}

/** 503: nothing more is taken while Redis is nearly full. */
export function memoryShed(): ProblemError {
  return new ProblemError(
    "memory_shed",
    "Redis is nearly full, and what it holds comes first. Nothing was accepted: send it again later with the same Idempotency-Key.",
  );
}

function notConfirmed(): ProblemError {
  return new ProblemError(
    "not_confirmed",
    "It is not known whether the submission was accepted: send it again with the same Idempotency-Key.",
  );
}
