/** Knows whether this process still gets its work done. */
export interface Progress {
  /** Something was finished. */
  worked(): void;
  /** How many things this process has in hand now. */
  busy(count: number): void;
  /**
   * Whether it has had work for longer than the limit without finishing any. While Redis does not answer it is never
   * stuck, and the time counts anew from when Redis answers again: a restart would heal nothing.
   */
  isStuck(redisAnswers: boolean): boolean;
}

export interface ProgressOptions {
  /** Ms of any clock that only goes forward. */
  readonly now: () => number;
  /** Default 60,000. */
  readonly limitMs?: number;
}

/** Tells `/livez` a process that hangs from one that waits. */
export function createProgress({ now, limitMs = 60_000 }: ProgressOptions): Progress {
  let inHand = 0;
  let movedAt = now();
  return {
    worked() {
      movedAt = now();
    },
    busy(count) {
      if (inHand === 0 && count > 0) movedAt = now();
      inHand = count;
    },
    isStuck(redisAnswers) {
      if (!redisAnswers) movedAt = now();
      return inHand > 0 && now() - movedAt > limitMs;
    },
  };
}
