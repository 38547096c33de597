import type { CounterAsk, RowAsks } from "./counter-ask.ts";
import { type CounterAnswer, CounterMemory } from "./counter-memory.ts";
import { TimeQueue } from "./time-queue.ts";

/** Rows that ask counters came in another order than they were received. */
export class DisorderedRowsError extends Error {
  override readonly name = "DisorderedRowsError";
  readonly code = "rows_disordered";
}

/** What counters answered: two numbers for each ask, of the old and the new side, to be read by `answerAt`. */
export type Answers = Int16Array<ArrayBuffer>;

interface Told {
  readonly ask: CounterAsk;
  readonly member: string;
}

/**
 * The counters of both sides, replayed in the order in which rows were received. An outcome counts from the moment when
 * it occurred. The sides share what they know of a counter until one asks it without the other, as by then another
 * ruleset decides, and other things count.
 */
export class CounterReplay {
  readonly #old = new CounterMemory();
  readonly #new = new CounterMemory();
  readonly #oldOne = [this.#old];
  readonly #newOne = [this.#new];
  readonly #both = [this.#old, this.#new];
  /** Definitions that the sides no longer share. */
  readonly #apart = new Set<string>();
  readonly #outcomes = new TimeQueue<Told>();
  #nowMs = -Infinity;
  #rows = 0;

  /** The answers to all asks of these rows, in their order. Throws a DisorderedRowsError for a row that comes too late. */
  replay(rows: readonly RowAsks[]): Answers {
    const answers = new Int16Array(2 * rows.reduce((sum, { asks }) => sum + asks.length, 0));
    let at = 0;
    for (const { receivedAt, eventTime, asOf, asks } of rows) {
      if (receivedAt < this.#nowMs) throw new DisorderedRowsError("Rows must come in the order of received_at.");
      this.#nowMs = receivedAt;
      this.#rows += 1;
      this.#tellUntil(receivedAt);
      for (const ask of asks) {
        const question = { receivedAt, eventTime, asOf, member: ask.member };
        for (const memory of this.#memoriesOf(ask)) {
          const answer = written(memory.ask(ask, question));
          if (memory === this.#old) answers[at] = answer;
          if (memory === this.#new || !this.#apart.has(ask.definition)) answers[at + 1] = answer;
        }
        at += 2;
        if (ask.toldAt === undefined) continue;
        const member = ask.toldMember ?? `row ${this.#rows}`;
        for (const occurredAt of ask.toldAt) this.#outcomes.push(occurredAt, { ask, member });
      }
    }
    return answers;
  }

  #tellUntil(nowMs: number): void {
    for (let told = this.#outcomes.takeUntil(nowMs); told !== undefined; told = this.#outcomes.takeUntil(nowMs)) {
      const { ask, member } = told.item;
      for (const memory of this.#memoriesOf(ask)) memory.tell(ask, member, told.atMs);
    }
  }

  #memoriesOf({ asking, definition }: CounterAsk): readonly CounterMemory[] {
    if (asking === "both") return this.#apart.has(definition) ? this.#both : this.#oldOne;
    if (!this.#apart.has(definition)) {
      this.#apart.add(definition);
      this.#new.takeOver(definition, this.#old);
    }
    return asking === "old" ? this.#oldOne : this.#newOne;
  }
}

/** The answer at a place: to the ask there, of the old side at twice its number, of the new one at the next. */
export function answerAt(answers: Answers, place: number): CounterAnswer {
  const answer = answers[place] ?? 0;
  return { value: answer >> 1, isWarming: (answer & 1) === 1 };
}

function written({ value, isWarming }: CounterAnswer): number {
  return 2 * value + (isWarming ? 1 : 0);
}
