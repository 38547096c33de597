const PAGE_BITS = 8;
const PAGE = 1 << PAGE_BITS;
const PAGES = 0x110000 >> PAGE_BITS;

/** Which of the ranges between some bounds a character lies in, by two look-ups. */
export class RuneClasses {
  /** How many ranges there are. */
  readonly count: number;
  readonly #pageOf: Uint16Array;
  readonly #classes: Uint16Array;

  /** `bounds` are sorted; each is the first character of a range, and the first range begins at 0. */
  constructor(bounds: Int32Array) {
    this.count = bounds.length + 1;
    const known = new Map<number, number>();
    const classes: number[] = [];
    let runeClass = 0;
    this.#pageOf = Uint16Array.from({ length: PAGES }, (_, page) => {
      const first = page << PAGE_BITS;
      const next = bounds[runeClass] ?? Number.POSITIVE_INFINITY;
      // Most pages lie within one range, and those of one range are one.
      const isWhole = next >= first + PAGE;
      const shared = isWhole ? known.get(runeClass) : undefined;
      if (shared !== undefined) return shared;
      const index = classes.length >> PAGE_BITS;
      if (isWhole) known.set(runeClass, index);
      for (let rune = first; rune < first + PAGE; rune++) {
        while ((bounds[runeClass] ?? Number.POSITIVE_INFINITY) <= rune) runeClass++;
        classes.push(runeClass);
      }
      return index;
    });
    this.#classes = Uint16Array.from(classes);
  }

  /** The range of a character, counted from 0. */
  of(rune: number): number {
    return this.#classes[((this.#pageOf[rune >> PAGE_BITS] ?? 0) << PAGE_BITS) | (rune & (PAGE - 1))] ?? 0;
  }
}
