import type { SlotValue } from "./slots.ts";

const MAX_TEXT = 256;

/** A value as evidence may carry it: texts are cut, a list is only present. */
export function bounded(value: SlotValue): string | number | boolean {
  if (typeof value === "string") return value.slice(0, MAX_TEXT);
  return typeof value === "object" ? true : value;
}

/** A list as a whole, where all of its elements together decided. */
export function describeElements(count: number): string {
  return count === 1 ? "1 element" : `${count} elements`;
}
