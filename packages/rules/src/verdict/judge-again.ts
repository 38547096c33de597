import { type Event, type EventSource, UNDECIDED_CODES, type Verdict } from "@assay/protocol";
import type { Ruleset } from "../ruleset.ts";
import type { BroughtEvent, PinnedInputs, Submitted } from "./submitted.ts";
import { verdictOf } from "./verdict-of.ts";
import { type Answers, countersOf, see, viewOf, withClaim } from "./view.ts";

/** A verdict, and all that it was made from, as they were kept. */
export interface KeptVerdict {
  readonly verdict: Verdict;
  readonly meta: Submitted["meta"];
  /** The ruleset that decided. */
  readonly ruleset: Ruleset;
  /** The one that was judged beside it. */
  readonly candidate?: Ruleset;
  /** Absent where there was none. */
  readonly brought?: { readonly event: Event; readonly source: EventSource };
  /** Absent where nothing was asked of shared memory. */
  readonly inputs?: PinnedInputs;
}

/**
 * Makes a verdict once more, as workers do: it is the same, byte by byte, unless what it was made from is another, or an
 * engine that means something else. What hangs on the moment is no part of what is kept, and its word is taken: when it
 * was decided and whether that was late, what was worse than usual about the way, and why it could not be judged.
 */
export function judgeAgain(kept: KeptVerdict): Verdict {
  const { verdict, meta, ruleset, candidate, inputs } = kept;
  const work: Submitted = { id: verdict.id, meta, receivedAt: verdict.received_at };
  const sourced = kept.brought && sourcedOf(kept.brought, verdict);
  const decidedAt = verdict.decided_at;
  if (verdict.undecided !== undefined || sourced === undefined) {
    const undecided = UNDECIDED_CODES.find((known) => known === verdict.undecided?.code) ?? "internal_error";
    // A fault of ours comes when all else was there, which is then part of the verdict.
    const isFault = undecided === "internal_error" && sourced !== undefined;
    const checks = isFault ? withClaim(viewOf(ruleset, work, sourced.event).checks, inputs) : {};
    const decision = ruleset.undecided(undecided);
    const parts = { work, ruleset, decision, checks, decidedAt, undecided, degraded: wayOf(verdict) };
    return verdictOf(sourced === undefined ? parts : { ...parts, sourced });
  }
  const { event } = sourced;
  const live = viewOf(ruleset, work, event);
  const beside = candidate && viewOf(candidate, work, event);
  const answers: Answers | undefined = inputs && { inputs, asked: countersOf(live, beside) };
  return verdictOf({
    work,
    sourced,
    ...see(live, work, event, answers),
    decidedAt,
    ...(beside === undefined ? {} : { candidate: see(beside, work, event, answers) }),
  });
}

function sourcedOf(brought: { event: Event; source: EventSource }, verdict: Verdict): BroughtEvent {
  // Until when it was to be decided is not kept; that it was late is.
  const late = verdict.late === true ? { decideBy: verdict.decided_at - 1 } : {};
  return { ...brought, degraded: wayOf(verdict), ...late };
}

// The other words are worked out anew.
function wayOf({ degraded = [] }: Verdict): string[] {
  return degraded.filter((word) => word !== "clock_skew" && !word.startsWith("counter_warming:"));
}
