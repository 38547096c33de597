import type { SlotValue } from "./slot-value.ts";

const MAX_TEXT = 256;

/** A value as evidence may carry it: texts are cut, a list is only present. */
export function bounded(value: SlotValue): string | number | boolean {
  if (typeof value === "string") return cut(value);
  return typeof value === "object" ? true : value;
}

// Half a character is no text to a database.
function cut(text: string): string {
  if (text.length <= MAX_TEXT) return text;
  const start = text.slice(0, MAX_TEXT);
  return /[\ud800-\udbff]$/.test(start) ? start.slice(0, -1) : start;
}

/** A list as a whole, where all of its elements together decided. */
export function describeElements(count: number): string {
  return count === 1 ? "1 element" : `${count} elements`;
}
