/** Times of deliveries, in ms. */
export interface DeliveryTiming {
  /** For one try. */
  readonly tryMs: number;
  /** What a process has in flight is another's after this, unless it says that it lives: several times `pollMs`. */
  readonly leaseMs: number;
  /** How often an endpoint is looked at while nothing wakes it, and leases are kept. */
  readonly pollMs: number;
  /** An endpoint that failed this often in a row is left alone… */
  readonly failuresInARow: number;
  /** …and probed after this time. */
  readonly probeAfterMs: number;
  /** An endpoint that did nothing but fail for this long goes on hold. */
  readonly pauseAfterMs: number;
  /** After this time a dead process's part of the stream is another's. */
  readonly takeoverAfterMs: number;
}

/**
 * As a delivering process has them. The hold comes after a delivery has had its 75 hours. What a dead process had in hand
 * goes on within three seconds.
 */
export const DELIVERY_TIMING: DeliveryTiming = {
  tryMs: 10_000,
  leaseMs: 2000,
  pollMs: 500,
  failuresInARow: 5,
  probeAfterMs: 30_000,
  pauseAfterMs: 5 * 24 * 3_600_000,
  takeoverAfterMs: 1500,
};
