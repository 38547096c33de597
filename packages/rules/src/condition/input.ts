import type { Checks, Context, Event, Kind } from "@assay/protocol";

/** All that a decision depends on. Equal inputs give equal decisions. */
export interface Input {
  readonly event: Event;
  readonly checks: Checks;
  readonly context: Context;
  /** Unix ms. */
  readonly receivedAt: number;
  readonly kind: Kind;
  /** Values of the ruleset's counters by name; a counter whose key is absent has none. */
  readonly counters?: Readonly<Record<string, number>>;
}
