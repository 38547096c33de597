import { readTime as timeOf } from "@assay/protocol";
import { parseDurationMs } from "@assay/rules";
import { CommandError, EXIT } from "./report.ts";

/** Reads a time as unix ms. Throws a CommandError that names the option. */
export function readTime(option: string, text: string): number {
  return (
    timeOf(text) ??
    refuse(`${option} ${text} is neither unix milliseconds nor an ISO time, such as 2026-12-31T18:00:00Z.`)
  );
}

/** The same, or how long ago, such as `7d`. */
export function readPastTime(option: string, text: string, now: number): number {
  const agoMs = parseDurationMs(text);
  // A stream begins after the beginning of time.
  if (agoMs !== undefined) return Math.max(now - agoMs, 1);
  return (
    timeOf(text) ?? refuse(`${option} ${text} is neither how long ago, such as 7d or 12h, nor a time: unix ms or ISO.`)
  );
}

function refuse(message: string): never {
  throw new CommandError(EXIT.usage, message);
}
