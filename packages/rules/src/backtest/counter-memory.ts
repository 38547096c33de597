import { CounterSet, MAX_MEMBERS } from "./counter-set.ts";

/** One counter for one value of its key. */
export interface CounterPlace {
  /** As `CounterUse.definition`. */
  readonly definition: string;
  /** The values of its key, as `CounterUse.key`. */
  readonly key: string;
  readonly windowMs: number;
}

/** What a submission asks of a counter. Times are unix ms. */
export interface CounterQuestion {
  readonly receivedAt: number;
  /** More than 10 s after `receivedAt` is a wrong clock, and is taken as that. */
  readonly eventTime: number;
  /** The time whose counters it is told; `receivedAt` when absent. */
  readonly asOf?: number | undefined;
  /** What the submission itself counts as, if it does. */
  readonly member?: string | undefined;
}

export interface CounterAnswer {
  /** At most 1,000. Holds this submission if that counts. */
  readonly value: number;
  /** Whether the counter is younger than its window. */
  readonly isWarming: boolean;
}

const MAX_AHEAD_MS = 10_000;
const DAY_MS = 86_400_000;
/** How often what no window can reach any more is forgotten, in sets that were made. */
const SWEEP_EVERY = 50_000;

interface Held {
  readonly set: CounterSet;
  readonly windowMs: number;
  lastMs: number;
}

interface Counter {
  /** When a submission first asked it, unix ms. */
  since: number | undefined;
  readonly sets: Map<string, Held>;
}

/**
 * The counters of the ledger, in memory: the same values for the same submissions and outcomes in the same order.
 * Memory is bounded by what lies within a window and a day.
 */
export class CounterMemory {
  /** By definition. */
  readonly #counters = new Map<string, Counter>();
  #made = 0;

  /** Takes over what another memory knows of a counter. Both count on their own from then on. */
  takeOver(definition: string, from: CounterMemory): void {
    const known = from.#counters.get(definition);
    if (known === undefined) return;
    const sets = [...known.sets].map(([key, { set, ...held }]) => [key, { ...held, set: set.copy() }] as const);
    this.#counters.set(definition, { since: known.since, sets: new Map(sets) });
  }

  /** Counts an outcome at the time when it occurred, unix ms. */
  tell(place: CounterPlace, member: string, occurredAt: number): void {
    this.#count(this.#counterOf(place.definition), place, member, { score: occurredAt, atMs: occurredAt });
  }

  /** Counts the submission if it does, and reads the counter. */
  ask(
    place: CounterPlace,
    { receivedAt, asOf = receivedAt, eventTime: givenTime, member }: CounterQuestion,
  ): CounterAnswer {
    const { key, windowMs } = place;
    const eventTime = Math.min(givenTime, receivedAt + MAX_AHEAD_MS);
    const counter = this.#counterOf(place.definition);
    counter.since ??= receivedAt;
    const isWarming = asOf - counter.since < windowMs;
    const before = asOf - windowMs;
    const last = Math.max(asOf, eventTime);
    if (member === undefined) return { value: counter.sets.get(key)?.set.between(before, last) ?? 0, isWarming };
    const set = this.#count(counter, place, member, { score: eventTime, atMs: receivedAt });
    const value = set.between(before, last);
    // A later submission has moved the distinct value on, or the event is older than the window: it counts itself.
    const score = set.scoreOf(member) ?? before;
    const isIn = score > before && score <= last;
    return { value: isIn ? value : Math.min(value + 1, MAX_MEMBERS), isWarming };
  }

  #counterOf(definition: string): Counter {
    let counter = this.#counters.get(definition);
    if (counter === undefined) this.#counters.set(definition, (counter = { since: undefined, sets: new Map() }));
    return counter;
  }

  #count(
    { sets }: Counter,
    { key, windowMs }: CounterPlace,
    member: string,
    { score, atMs }: { readonly score: number; readonly atMs: number },
  ): CounterSet {
    let held = sets.get(key);
    if (held === undefined) {
      sets.set(key, (held = { set: new CounterSet(), windowMs, lastMs: atMs }));
      this.#made += 1;
      if (this.#made % SWEEP_EVERY === 0) this.#sweep(atMs);
    }
    held.lastMs = Math.max(held.lastMs, atMs);
    held.set.count(member, score, { atMs, windowMs });
    return held.set;
  }

  #sweep(nowMs: number): void {
    for (const { sets } of this.#counters.values()) {
      for (const [key, { windowMs, lastMs }] of sets) {
        if (lastMs < nowMs - windowMs - DAY_MS) sets.delete(key);
      }
    }
  }
}
