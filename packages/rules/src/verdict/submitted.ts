import type { Context, Event, EventSource, Kind } from "@assay/protocol";

/** A submission, as far as its verdict hangs on it. */
export interface Submitted {
  readonly id: string;
  readonly meta: {
    readonly kind: Kind;
    /** As the caller claimed it. */
    readonly event_id?: string;
    readonly ruleset?: string;
    readonly context?: Context;
    readonly test?: true;
  };
  /** Unix ms. */
  readonly receivedAt: number;
}

/** An event, and how it came. */
export interface BroughtEvent {
  readonly event: Event;
  readonly source: EventSource;
  /** What was worse than usual about the way. */
  readonly degraded?: readonly string[];
  /** Unix ms; absent where nothing bounds the decision. */
  readonly decideBy?: number;
}

/** What shared memory answered the first try that had the event. Every later one is told the same. */
export interface PinnedInputs {
  /** As it is written down. */
  readonly pinned: string;
  /** Absent where nobody presented the event. */
  readonly claim?: { readonly reused: boolean; readonly reusedElsewhere: boolean; readonly useCount: number };
  /** In the order in which they were asked for. */
  readonly counters: readonly { readonly value: number; readonly isWarming: boolean }[];
}
