/** A rate limit as the vendor counts it. */
export interface RateLimit {
  /** Requests a second, over time. */
  readonly rps: number;
  /** Requests at once, after a pause. */
  readonly burst: number;
}

/** Counts the requests of one key. */
export interface TokenBucket {
  /** Whether one more request is within the limit. One that is not costs nothing. */
  take(): boolean;
}

/** A full bucket. `nowMs` is a clock that never goes back. */
export function createTokenBucket({ rps, burst }: RateLimit, nowMs: () => number): TokenBucket {
  let tokens = burst;
  let filledAt = nowMs();
  return {
    take() {
      const now = nowMs();
      tokens = Math.min(burst, tokens + ((now - filledAt) / 1000) * rps);
      filledAt = now;
      // Sums of fractions may miss a whole token by less than this.
      if (tokens < 1 - 1e-9) return false;
      tokens -= 1;
      return true;
    },
  };
}
