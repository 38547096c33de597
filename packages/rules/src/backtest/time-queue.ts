/** Things that wait for their time, the earliest first. */
export class TimeQueue<Item> {
  /** A binary heap. */
  readonly #heap: { readonly atMs: number; readonly item: Item }[] = [];

  push(atMs: number, item: Item): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push({ atMs, item });
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isEarlier(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** The earliest whose time has come by `nowMs`; undefined when there is none. */
  takeUntil(nowMs: number): { readonly atMs: number; readonly item: Item } | undefined {
    const heap = this.#heap;
    const [first] = heap;
    if (first === undefined || first.atMs > nowMs) return undefined;
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) {
      heap[0] = last;
      this.#sink();
    }
    return first;
  }

  #sink(): void {
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      const child = this.#isEarlier(left + 1, left) ? left + 1 : left;
      if (!this.#isEarlier(child, at)) return;
      this.#swap(child, at);
      at = child;
    }
  }

  #isEarlier(a: number, b: number): boolean {
    return (this.#heap[a]?.atMs ?? Infinity) < (this.#heap[b]?.atMs ?? Infinity);
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]];
    if (first === undefined || second === undefined) return;
    this.#heap[a] = second;
    this.#heap[b] = first;
  }
}
