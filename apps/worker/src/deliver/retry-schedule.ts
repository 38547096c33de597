const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/*
 * The first try is at once. The early pauses are for a deploy or a restart, the late ones for a weekend: ten tries in
 * about 75 hours, as the receivers of webhooks know it.
 */
const PAUSES_MS = [
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
];

/** What waited this long for a probe of its endpoint has had its time, though it was tried less often. */
const GIVEN_UP_AFTER_MS = 84 * HOUR_MS;

/** Longest pause that a receiver may ask for. */
const LONGEST_ASKED_MS = 24 * HOUR_MS;

const JITTER = 0.1;

/**
 * How long a delivery waits for its next try, in ms; undefined when there is none. `failures` counts the tries that
 * failed, this one included. What the receiver asks for is waited for, up to a day. `random` is from 0 to 1.
 */
export function nextPauseMs(tried: {
  readonly failures: number;
  readonly ageMs: number;
  readonly askedMs?: number;
  readonly random: number;
}): number | undefined {
  const pauseMs = PAUSES_MS[tried.failures - 1];
  if (pauseMs === undefined || tried.ageMs > GIVEN_UP_AFTER_MS) return undefined;
  const spreadMs = pauseMs * (1 - JITTER + 2 * JITTER * tried.random);
  return Math.max(spreadMs, Math.min(tried.askedMs ?? 0, LONGEST_ASKED_MS));
}
