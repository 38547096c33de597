/**
 * Why a submission could not be judged. Closed for writers; a reader must accept codes it does not know.
 * The ruleset says which action each takes (`undecided:`).
 */
export const UNDECIDED_CODES = [
  "invalid_header",
  "too_short",
  "no_key_opens",
  "inflate_failed",
  "too_large",
  "invalid_json",
  "not_an_event",
  "event_not_found",
  "event_not_received",
  "event_erased",
  "lookup_refused",
  "lookup_unavailable",
  "lookup_saturated",
  "ruleset_not_found",
  "worker_crashed",
  "internal_error",
] as const;

export type UndecidedCode = (typeof UNDECIDED_CODES)[number];

/** Codes caused by what was handed in: its bytes are kept as an input dead letter. */
export const INPUT_FAULT_CODES: ReadonlySet<UndecidedCode> = new Set<UndecidedCode>([
  "invalid_header",
  "too_short",
  "no_key_opens",
  "inflate_failed",
  "too_large",
  "invalid_json",
  "not_an_event",
  "worker_crashed",
]);
