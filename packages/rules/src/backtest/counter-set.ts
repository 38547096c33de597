/** Most members of a counter, as in the ledger. */
export const MAX_MEMBERS = 1000;

const DAY_MS = 86_400_000;

/** What a counter holds for one value of its key: members by time, as the ledger's sorted set does. */
export class CounterSet {
  /** Ascending by score, then by member. */
  readonly #scores: number[] = [];
  readonly #members: string[] = [];
  /** The latest time at which anything was counted, unix ms. */
  lastMs = -Infinity;

  /**
   * Counts a member once, at the latest of its times, and forgets what fell out of the window that ends at `atMs` more
   * than a day ago. Beyond 1,000 members the oldest go.
   */
  count(member: string, score: number, { atMs, windowMs }: { atMs: number; windowMs: number }): void {
    this.lastMs = Math.max(this.lastMs, atMs);
    const known = this.#members.indexOf(member);
    if (known === -1) this.#insert(member, score);
    else if (score > (this.#scores[known] ?? score)) {
      this.#remove(known, 1);
      this.#insert(member, score);
    }
    this.#remove(0, this.#upTo(atMs - windowMs - DAY_MS));
    this.#remove(0, Math.max(0, this.#members.length - MAX_MEMBERS));
  }

  /** How many members lie in (`after`, `until`], in unix ms. */
  between(after: number, until: number): number {
    return Math.max(0, this.#upTo(until) - this.#upTo(after));
  }

  copy(): CounterSet {
    const copy = new CounterSet();
    copy.#scores.push(...this.#scores);
    copy.#members.push(...this.#members);
    copy.lastMs = this.lastMs;
    return copy;
  }

  /** Most questions are about the latest one. */
  scoreOf(member: string): number | undefined {
    const known = this.#members.lastIndexOf(member);
    return known === -1 ? undefined : this.#scores[known];
  }

  #insert(member: string, score: number): void {
    let at = this.#upTo(score);
    while (at > 0 && this.#scores[at - 1] === score && (this.#members[at - 1] ?? "") > member) at -= 1;
    this.#scores.splice(at, 0, score);
    this.#members.splice(at, 0, member);
  }

  #remove(at: number, count: number): void {
    if (count === 0) return;
    this.#scores.splice(at, count);
    this.#members.splice(at, count);
  }

  /** How many scores are at most this. Most questions are about the latest ones. */
  #upTo(score: number): number {
    const scores = this.#scores;
    let low = 0;
    let high = scores.length;
    if (high > 0 && (scores[high - 1] ?? 0) <= score) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((scores[middle] ?? 0) <= score) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
