import type { Checks, Context, Event, Kind, Label } from "@assay/protocol";

/** A submission of the past, to be judged once more. */
export interface BacktestRow {
  readonly event: Event;
  readonly context: Context;
  /** Unix ms. */
  readonly receivedAt: number;
  readonly kind: Kind;
  /** Whether `context` and `receivedAt` are those of then, and stand for nothing that the row left out. */
  readonly isArrivalKnown: boolean;
  /** Whether it was judged once more then, and so counts nothing. Not when absent. */
  readonly isRedriven?: boolean;
  /** As they were judged then. Those that are absent are unknown. */
  readonly checks: Checks;
  /** The ruleset that the submission named. */
  readonly ruleset?: string;
  /** Who the visitor turned out to be. */
  readonly label?: Label;
  /** What was told of it later. */
  readonly outcomes: readonly PastOutcome[];
}

/** What became of a submission, and when. */
export interface PastOutcome {
  readonly outcome?: string;
  readonly label?: Label;
  /** Unix ms. Counters know it from then on. */
  readonly occurredAt: number;
}
