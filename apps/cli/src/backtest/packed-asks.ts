import type { CounterAsk, RowAsks } from "@assay/rules/backtest";

/**
 * What the rows of a batch ask, as few things to send to another thread: numbers, and one text. Thousands of small objects
 * take longer to cross than to judge.
 */
export interface PackedAsks {
  /** Of each row its three times (0 for one that is absent) and how many asks it has; of each ask its flags, its counter, the lines of its key and members, and times that were told. */
  readonly numbers: Float64Array<ArrayBuffer>;
  /** Keys and members, a line each, once for each row. All are JSON or an event id, in which no line ends. */
  readonly texts: string;
  /** The counters that are asked. */
  readonly counters: readonly Pick<CounterAsk, "definition" | "windowMs">[];
}

const ASKING = ["old", "new", "both"] as const;
/** Flags of an ask: who asks in the two lowest bits, then these, then how many times follow. */
const [HAS_MEMBER, HAS_TOLD_MEMBER, HAS_TIMES, TIMES_FROM] = [4, 8, 16, 32];

export function packAsks(rows: readonly RowAsks[]): PackedAsks {
  const numbers: number[] = [];
  const texts: string[] = [];
  const places = new Map<string, number>();
  const counters: PackedAsks["counters"][number][] = [];
  for (const { receivedAt, eventTime, asOf = 0, asks } of rows) {
    numbers.push(receivedAt, eventTime, asOf, asks.length);
    const firstLine = texts.length;
    for (const { asking, definition, windowMs, key, member, toldAt, toldMember } of asks) {
      let place = places.get(definition);
      if (place === undefined) {
        place = counters.push({ definition, windowMs }) - 1;
        places.set(definition, place);
      }
      const flags =
        ASKING.indexOf(asking) +
        (member === undefined ? 0 : HAS_MEMBER) +
        (toldMember === undefined ? 0 : HAS_TOLD_MEMBER) +
        (toldAt === undefined ? 0 : HAS_TIMES + TIMES_FROM * toldAt.length);
      numbers.push(flags, place, lineOf(key, texts, firstLine));
      if (member !== undefined) numbers.push(lineOf(member, texts, firstLine));
      if (toldMember !== undefined) numbers.push(lineOf(toldMember, texts, firstLine));
      if (toldAt !== undefined) numbers.push(...toldAt);
    }
  }
  return { numbers: Float64Array.from(numbers), texts: texts.join("\n"), counters };
}

/** The line of a text among those from `first` on; it is added if it is not there. */
function lineOf(text: string, texts: string[], first: number): number {
  const known = texts.indexOf(text, first);
  return known === -1 ? texts.push(text) - 1 : known;
}

export function unpackAsks({ numbers, texts: joined, counters }: PackedAsks): RowAsks[] {
  const texts = joined.split("\n");
  const rows: RowAsks[] = [];
  let at = 0;
  const number = () => numbers[at++] ?? 0;
  const text = () => texts[number()] ?? "";
  while (at < numbers.length) {
    const [receivedAt, eventTime, asOf, count] = [number(), number(), number(), number()];
    const asks: CounterAsk[] = [];
    for (let n = 0; n < count; n++) {
      const flags = number();
      const counter = counters[number()];
      if (counter === undefined) throw new RangeError("Asks of a counter that is not among them.");
      const { definition, windowMs } = counter;
      const ask: CounterAsk = { asking: ASKING[flags & 3] ?? "both", definition, windowMs, key: text() };
      if ((flags & HAS_MEMBER) !== 0) ask.member = text();
      if ((flags & HAS_TOLD_MEMBER) !== 0) ask.toldMember = text();
      if ((flags & HAS_TIMES) !== 0) {
        const end = at + Math.floor(flags / TIMES_FROM);
        ask.toldAt = [...numbers.subarray(at, end)];
        at = end;
      }
      asks.push(ask);
    }
    rows.push({ receivedAt, eventTime, asks, asOf: asOf === 0 ? undefined : asOf });
  }
  return rows;
}
