import type { Action, Kind, Verdict } from "@assay/protocol";

/** Which verdicts are wanted: those that match every field given. */
export interface VerdictFilter {
  readonly action?: Action | readonly Action[];
  readonly flow?: string | readonly string[];
  readonly kind?: Kind | readonly Kind[];
  /** Verdicts on test events: `true` for these alone; they are left out by default. */
  readonly test?: boolean;
}

/** What a filter wants. */
export function wantedBy(filter: VerdictFilter): (verdict: Verdict) => boolean {
  return ({ action, kind, context, test = false }) =>
    test === (filter.test ?? false) &&
    matches(filter.action, action) &&
    matches(filter.kind, kind) &&
    matches(filter.flow, context?.flow);
}

function matches<Value>(wanted: Value | readonly Value[] | undefined, value: Value | undefined): boolean {
  return wanted === undefined || [wanted].flat().some((one) => one === value);
}
