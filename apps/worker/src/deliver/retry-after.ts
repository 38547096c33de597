/** The pause that `Retry-After` asks for, in ms, as seconds or as a date; undefined where it says nothing. `now` is unix ms. */
export function readRetryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text.trim())) return Number(text) * 1000;
  // Of what is no date of HTTP much is one to Date.parse.
  const at = text.endsWith("GMT") ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
