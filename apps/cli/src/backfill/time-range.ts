import { readPastTime } from "../past-time.ts";
import { CommandError, EXIT } from "../report.ts";

/** Events made in [since, until), unix ms. */
export interface TimeRange {
  readonly since: number;
  readonly until: number;
}

/** A webhook that failed comes again after five minutes: what is younger than this may still come by itself. */
const SETTLED_AFTER_MS = 600_000;

/**
 * Reads `--since` and `--until`: unix ms, an ISO time, or how long ago (`90m`, `36h`, `7d`). Without `--until` it ends ten
 * minutes ago. Throws a CommandError.
 */
export function readRange(since: string, until: string | undefined, nowMs: number): TimeRange {
  const range = {
    since: readPastTime("--since", since, nowMs),
    until: until === undefined ? nowMs - SETTLED_AFTER_MS : Math.min(readPastTime("--until", until, nowMs), nowMs),
  };
  if (range.since < range.until) return range;
  const end = new Date(range.until).toISOString();
  throw new CommandError(EXIT.usage, `--since ${since} does not lie before the end, ${end}. Name an earlier time.`);
}
