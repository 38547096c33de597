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

interface Counter {
  /** Where its sets stand among those of a key. */
  readonly place: number;
  readonly windowMs: number;
  /** When a submission first asked it, unix ms. */
  since?: number;
}

/** What the counters hold for one key, each at its place: several are often asked by the same one. */
type Sets = (CounterSet | undefined)[];

/**
 * The counters of the ledger, in memory: the same values for the same submissions and outcomes in the same order.
 * Memory is bounded by what lies within a window and a day.
 */
export class CounterMemory {
  /** By definition. */
  readonly #counters = new Map<string, Counter>();
  readonly #keys = new Map<string, Sets>();
  #made = 0;

  /** Takes over what another memory knows of a counter. Both count on their own from then on. */
  takeOver(definition: string, from: CounterMemory): void {
    const known = from.#counters.get(definition);
    if (known === undefined) return;
    const counter = this.#counterOf({ definition, windowMs: known.windowMs });
    if (known.since !== undefined) counter.since = known.since;
    for (const [key, sets] of from.#keys) {
      const set = sets[known.place];
      if (set !== undefined) this.#setsOf(key)[counter.place] = set.copy();
    }
  }

  /** Counts an outcome at the time when it occurred, unix ms. */
  tell(place: CounterPlace, member: string, occurredAt: number): void {
    this.#count(this.#counterOf(place), place.key, { member, score: occurredAt, atMs: occurredAt });
  }

  /** Counts the submission if it does, and reads the counter. */
  ask(
    place: CounterPlace,
    { receivedAt, asOf = receivedAt, eventTime: givenTime, member }: CounterQuestion,
  ): CounterAnswer {
    const { key, windowMs } = place;
    const eventTime = Math.min(givenTime, receivedAt + MAX_AHEAD_MS);
    const counter = this.#counterOf(place);
    counter.since ??= receivedAt;
    const isWarming = asOf - counter.since < windowMs;
    const before = asOf - windowMs;
    const last = Math.max(asOf, eventTime);
    if (member === undefined) {
      return { value: this.#keys.get(key)?.[counter.place]?.between(before, last) ?? 0, isWarming };
    }
    const set = this.#count(counter, key, { member, score: eventTime, atMs: receivedAt });
    const value = set.between(before, last);
    // A later submission has moved the distinct value on, or the event is older than the window: it counts itself.
    const score = set.scoreOf(member) ?? before;
    const isIn = score > before && score <= last;
    return { value: isIn ? value : Math.min(value + 1, MAX_MEMBERS), isWarming };
  }

  #counterOf({ definition, windowMs }: Pick<CounterPlace, "definition" | "windowMs">): Counter {
    let counter = this.#counters.get(definition);
    if (counter === undefined) {
      this.#counters.set(definition, (counter = { place: this.#counters.size, windowMs }));
    }
    return counter;
  }

  #setsOf(key: string): Sets {
    let sets = this.#keys.get(key);
    if (sets === undefined) this.#keys.set(key, (sets = []));
    return sets;
  }

  #count(
    { place, windowMs }: Counter,
    key: string,
    { member, score, atMs }: { readonly member: string; readonly score: number; readonly atMs: number },
  ): CounterSet {
    const sets = this.#setsOf(key);
    let set = sets[place];
    if (set === undefined) {
      sets[place] = set = new CounterSet();
      this.#made += 1;
      if (this.#made % SWEEP_EVERY === 0) this.#sweep(atMs);
    }
    set.count(member, score, { atMs, windowMs });
    return set;
  }

  #sweep(nowMs: number): void {
    const counters = [...this.#counters.values()];
    for (const [key, sets] of this.#keys) {
      const held = counters.filter(({ place, windowMs }) => {
        const isHeld = (sets[place]?.lastMs ?? -Infinity) >= nowMs - windowMs - DAY_MS;
        if (!isHeld) sets[place] = undefined;
        return isHeld;
      });
      if (held.length === 0) this.#keys.delete(key);
    }
  }
}
