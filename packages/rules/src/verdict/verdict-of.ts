import { hash } from "node:crypto";
import { type Checks, redriveOf, type UndecidedCode, type Verdict } from "@assay/protocol";
import type { Decision } from "../judge/decision.ts";
import type { Ruleset } from "../ruleset.ts";
import { MAX_CLOCK_SKEW_MS } from "./checks.ts";
import type { BroughtEvent, Submitted } from "./submitted.ts";
import type { Seen } from "./view.ts";

/** All that a verdict is made of. */
export interface VerdictParts {
  readonly work: Submitted;
  readonly ruleset: Ruleset;
  readonly decision: Decision;
  readonly checks: Checks;
  readonly sourced?: BroughtEvent;
  readonly undecided?: UndecidedCode;
  /** What was worse than usual about the way to no event. */
  readonly degraded?: readonly string[];
  /** Names of counters that are younger than their windows. */
  readonly warming?: readonly string[];
  /** What the candidate says of the same. */
  readonly candidate?: Seen;
  /** Unix ms. */
  readonly decidedAt: number;
}

/** The verdict as it is published. Fields that do not apply are absent. */
export function verdictOf(parts: VerdictParts): Verdict {
  const { work, ruleset, decision, checks, undecided } = parts;
  const { kind, context = {}, event_id: claimedEventId } = work.meta;
  const event = parts.sourced?.event;
  const eventId = event?.event_id ?? claimedEventId;
  const { flow, user_id, reference } = context;
  return {
    schema: "assay.verdict/1",
    id: work.id,
    kind,
    action: decision.action,
    score: decision.score,
    reasons: decision.reasons,
    shadow: decision.shadow,
    unknown: decision.unknown,
    checks,
    coverage: decision.coverage,
    ruleset: nameOf(ruleset),
    received_at: work.receivedAt,
    decided_at: parts.decidedAt,
    ...present({
      event_id: eventId,
      visitor_id: event?.identification?.visitor_id,
      linked_id: event?.linked_id,
      platform: event?.sdk?.platform,
      event_source: parts.sourced?.source,
      event_time: event?.timestamp,
      context: nonEmpty(present({ flow, user_id, reference })),
      signals: decision.signals,
      undecided: undecided === undefined ? undefined : { code: undecided },
      degraded: nonEmptyList([
        ...(parts.sourced?.degraded ?? parts.degraded ?? []),
        ...(isAhead(checks) ? ["clock_skew"] : []),
        ...(parts.warming ?? []).map((name) => `counter_warming:${name}`),
      ]),
      late: isLate(parts) ? true : undefined,
      redrive_of: redriveOf(work.id),
      would_be: decision.wouldBe,
      candidate: parts.candidate && candidateOf(parts.candidate),
      test: work.meta.test,
    }),
  };
}

/**
 * Digest of a verdict over all but `decided_at` and what hangs on it: equal inputs must give equal digests. The fields
 * stand in the order in which `verdictOf` and the ruleset put them, which is the same for the same inputs.
 */
export function verdictDigest(verdict: Verdict): string {
  const { decided_at: _, late: __, ...rest } = verdict;
  return hash("sha256", JSON.stringify(rest), "base64url").slice(0, 22);
}

function candidateOf({ ruleset, decision }: Seen): Verdict["candidate"] {
  const { action, wouldBe, score, reasons } = decision;
  return {
    ruleset: nameOf(ruleset),
    action: wouldBe ?? action,
    score,
    rules: reasons.map(({ rule }) => rule),
  };
}

function nameOf({ name, digest, engine }: Ruleset): Verdict["ruleset"] {
  return { name, digest, engine };
}

function isLate({ sourced, decidedAt }: VerdictParts): boolean {
  return sourced?.decideBy !== undefined && decidedAt > sourced.decideBy;
}

function isAhead(checks: Checks): boolean {
  return (checks.event_age_seconds ?? 0) * 1000 < -MAX_CLOCK_SKEW_MS;
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Only the fields that hold something. */
function present<T extends object>(fields: T): Present<T> {
  const kept: Present<T> = { ...fields };
  for (const name in kept) if (kept[name] === undefined) delete kept[name];
  return kept;
}

function nonEmpty<T extends object>(value: T): T | undefined {
  return Object.keys(value).length === 0 ? undefined : value;
}

function nonEmptyList<T>(list: T[]): T[] | undefined {
  return list.length === 0 ? undefined : list;
}
