import type { MinuteCount, SeenMinute } from "@assay/ledger";

/** How often something happened of late. */
export interface Rate {
  readonly perSecond: number;
  /** In the busiest minute. */
  readonly peakPerSecond: number;
  readonly count: number;
}

const WINDOW_MS = 10 * 60_000;
const MINUTE_MS = 60_000;

/** The rate of the last ten minutes, or of as many of them as there is something to tell of. */
export function rateOf(minutes: readonly SeenMinute[], name: MinuteCount, now: number): Rate {
  const late = minutes.filter(({ at }) => now - at <= WINDOW_MS);
  const counts = late.map(({ counts: { [name]: count = 0 } }) => count);
  const count = counts.reduce((sum, one) => sum + one, 0);
  const since = Math.min(now, ...late.map(({ at }) => at));
  return {
    count,
    perSecond: count / (Math.max(MINUTE_MS, now - since) / 1000),
    peakPerSecond: Math.max(0, ...counts) / 60,
  };
}
