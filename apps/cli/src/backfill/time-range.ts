import { CommandError, EXIT } from "../report.ts";

/** Events made in [since, until), unix ms. */
export interface TimeRange {
  readonly since: number;
  readonly until: number;
}

const UNITS_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A webhook that failed comes again after five minutes: what is younger than this may still come by itself. */
const SETTLED_AFTER_MS = 600_000;

/**
 * Reads `--since` and `--until`: unix ms, an ISO time, or how long ago (`90m`, `36h`, `7d`). Without `--until` it ends ten
 * minutes ago. Throws a CommandError.
 */
export function readRange(since: string, until: string | undefined, nowMs: number): TimeRange {
  const range = {
    since: readTime("--since", since, nowMs),
    until: until === undefined ? nowMs - SETTLED_AFTER_MS : Math.min(readTime("--until", until, nowMs), nowMs),
  };
  if (range.since < range.until) return range;
  const end = new Date(range.until).toISOString();
  throw new CommandError(EXIT.usage, `--since ${since} does not lie before the end, ${end}. Name an earlier time.`);
}

function readTime(option: string, text: string, nowMs: number): number {
  const [, number, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const time =
    number !== undefined && (unit === "m" || unit === "h" || unit === "d")
      ? nowMs - Number(number) * UNITS_MS[unit]
      : /^\d{13}$/.test(text)
        ? Number(text)
        : /^\d{4}-\d\d-\d\d/.test(text)
          ? Date.parse(text)
          : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new CommandError(
    EXIT.usage,
    `${option} ${text} is no time. Write how long ago (90m, 36h, 7d), an ISO time (2026-11-27T12:00:00Z), or unix ms.`,
  );
}
