import type { Work } from "@assay/ledger";
import type { UndecidedCode } from "@assay/protocol";
import type { BroughtEvent } from "@assay/rules/verdict";

/** What became of the way from a submission to its event. */
export type Sourced =
  | SourcedEvent
  | { readonly status: "undecided"; readonly code: UndecidedCode; readonly degraded?: readonly string[] }
  | Wait
  /** The vendor must be asked, which the lane of lookups alone does. */
  | { readonly status: "to_lookups" };

/** An event, and how it came. */
export interface SourcedEvent extends BroughtEvent {
  readonly status: "event";
}

/** Not yet: the submission sleeps until `until` (unix ms), or until its event comes. */
export interface Wait {
  readonly status: "wait";
  /** A word for whoever asks where the submission stands. */
  readonly why: string;
  readonly until: number;
  readonly spendsRetry: boolean;
  /** The event that it waits for; absent where it is only a matter of time. */
  readonly event?: {
    readonly id: string;
    /** Whether another submission asks for it. */
    readonly follows: boolean;
  };
}

/** Finds the event of a submission. `mayAsk` says whether the vendor may be asked here. */
export type Source = (work: Work, signal: AbortSignal, options: { readonly mayAsk: boolean }) => Promise<Sourced>;
