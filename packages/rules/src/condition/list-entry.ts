/** An entry of a list. */
export interface ListEntry {
  /** As it is written. */
  readonly text: string;
  /** The last ms at which it matches; for ever when absent. */
  readonly untilMs?: number;
}

/** Adds an entry unless an equal one lasts longer. */
export function keepLongest(known: Map<string, ListEntry>, key: string, entry: ListEntry): void {
  const before = known.get(key);
  if (before === undefined || endOf(entry) > endOf(before)) known.set(key, entry);
}

/** The text of an entry that still matches; false otherwise. */
export function textAt(entry: ListEntry | undefined, atMs: number): string | false {
  return entry !== undefined && atMs <= endOf(entry) && entry.text;
}

/** The last ms at which an entry matches. */
export function endOf({ untilMs }: ListEntry): number {
  return untilMs ?? Number.POSITIVE_INFINITY;
}
