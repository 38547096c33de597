/** How long lookups take and wait, in ms. */
export interface LookupTiming {
  /** A lookup is decided at the latest this long after it was received. */
  readonly decideWithinMs: number;
  /** How long the vendor may take for one lookup. */
  readonly timeoutMs: number;
  /** An event id may be unknown to the vendor's API for this long after it was made. */
  readonly youngMs: number;
  /** Pause before a young event that is unknown is asked for once more. */
  readonly notFoundDelayMs: number;
  /** Pause after the vendor failed; doubles with each retry, three times at most. */
  readonly retryDelayMs: number;
  /** How long an API key is not used after the vendor throttled it. */
  readonly throttledMs: number;
  /** How long a key whose lookups fail is not used before one lookup probes it. */
  readonly probeAfterMs: number;
  /** The same for a key that the vendor refuses. */
  readonly refusedMs: number;
}

export const LOOKUP_TIMING: LookupTiming = {
  decideWithinMs: 60_000,
  timeoutMs: 5000,
  youngMs: 20_000,
  notFoundDelayMs: 3000,
  retryDelayMs: 2000,
  throttledMs: 2000,
  probeAfterMs: 10_000,
  refusedMs: 60_000,
};
