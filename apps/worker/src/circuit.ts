import {
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  handleWhenResult,
  type CircuitBreakerPolicy,
} from "cockatiel";

/** Opens when what is behind it fails in a row, and closes when a probe is answered. */
export interface Circuit {
  readonly policy: CircuitBreakerPolicy;
  isOpen(): boolean;
  /** 0 while it is closed, and when the next one is to probe. */
  restsForMs(): number;
}

// While one probes, the others look again after this time.
const PROBE_PAUSE_MS = 500;

/** `opensBy` says which results are failures. After `halfOpenAfter` ms one probes. `now` is unix ms. */
export function createCircuit(
  opensBy: (outcome: unknown) => boolean,
  inARow: number,
  halfOpenAfter: number,
  now: () => number,
): Circuit {
  const policy = circuitBreaker(handleWhenResult(opensBy), { halfOpenAfter, breaker: new ConsecutiveBreaker(inARow) });
  let openedAt = 0;
  policy.onBreak(() => {
    openedAt = now();
  });
  return {
    policy,
    isOpen: () => policy.state !== CircuitState.Closed,
    restsForMs() {
      switch (policy.state) {
        case CircuitState.Closed:
          return 0;
        case CircuitState.HalfOpen:
          return PROBE_PAUSE_MS;
        case CircuitState.Open:
        case CircuitState.Isolated:
          return Math.max(0, openedAt + halfOpenAfter - now());
      }
    },
  };
}
