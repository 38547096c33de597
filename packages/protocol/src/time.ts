// A day, or a time with its zone: others would mean another time on another machine.
const ISO_TIME = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/**
 * Reads a time that somebody wrote, as unix ms: thirteen digits, as ten are seconds, or an ISO time with its zone, or a
 * day (UTC). Undefined for anything else.
 */
export function readTime(text: string): number | undefined {
  const timeMs = /^\d{13}$/.test(text) ? Number(text) : ISO_TIME.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isSafeInteger(timeMs) ? timeMs : undefined;
}
