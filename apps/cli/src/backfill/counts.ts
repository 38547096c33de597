/** What became of the events that Fingerprint told of. `seen` is the sum of all others. */
export interface Counts {
  readonly seen: number;
  /** The archive has a verdict on it. */
  readonly known: number;
  /** It is in Redis: on its way to a verdict, or to the archive. */
  readonly pending: number;
  /** It was erased, and stays so. */
  readonly erased: number;
  /** It is older than what the archive keeps: nobody can tell whether there was a verdict on it. */
  readonly expired: number;
  readonly submitted: number;
  /** Somebody else submitted it meanwhile. */
  readonly duplicates: number;
  /** A dry run would submit it. */
  readonly missing: number;
  /** It is no event that can be read: how many by the reason. */
  readonly unreadable: Readonly<Record<string, number>>;
}

export const NO_COUNTS: Counts = {
  seen: 0,
  known: 0,
  pending: 0,
  erased: 0,
  expired: 0,
  submitted: 0,
  duplicates: 0,
  missing: 0,
  unreadable: {},
};

/** What may become of an event that can be read. */
export type Fate = Exclude<keyof Counts, "seen" | "unreadable">;

/** One more event that was seen. */
export function countFate(counts: Counts, fate: Fate): Counts {
  return { ...counts, seen: counts.seen + 1, [fate]: counts[fate] + 1 };
}

/** One more that cannot be read. */
export function countUnreadable(counts: Counts, reason: string): Counts {
  const unreadable = { ...counts.unreadable, [reason]: (counts.unreadable[reason] ?? 0) + 1 };
  return { ...counts, seen: counts.seen + 1, unreadable };
}
