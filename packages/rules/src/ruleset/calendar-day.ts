/** The first ms, UTC, of a day that is on the calendar, written as `2027-03-01`; undefined for any other text. */
export function calendarDayMs(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const startMs = Date.parse(`${text}T00:00:00Z`);
  // February 30 would otherwise be March 2.
  return Number.isNaN(startMs) || new Date(startMs).toISOString().slice(0, 10) !== text ? undefined : startMs;
}
