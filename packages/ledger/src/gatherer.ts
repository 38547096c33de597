/** Natural batching: what arrives while earlier batches are in flight leaves together. No timers. */
export interface Gatherer<Item, Result> {
  /** Resolves with the item's own result; rejects with what its batch's flush threw, or with `overflow()` at once. */
  add(item: Item): Promise<Result>;
  /** Items that wait or are in flight. */
  size(): number;
  /** Resolves when nothing waits and nothing is in flight. */
  idle(): Promise<void>;
}

export interface GathererOptions<Item, Result> {
  /** Handles a batch; its results stand in the order of the items. */
  flush(items: readonly Item[]): Promise<readonly Result[]>;
  /** Most items in a batch. */
  readonly maxItems: number;
  /** Most bytes in a batch, by `bytesOf`; a larger single item still leaves, alone. */
  readonly maxBytes?: number;
  bytesOf?(item: Item): number;
  /** Most batches at once. One alone would cap throughput at `maxItems` per round trip. */
  readonly maxInFlight: number;
  /** Most items that may wait; unbounded when absent. */
  readonly maxWaiting?: number;
  /** Most bytes that may wait, by `bytesOf`; unbounded when absent. */
  readonly maxWaitingBytes?: number;
  overflow?(): Error;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly bytes: number;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/** An idle gatherer sends at the end of the running task, so that items of one burst leave together. */
export function createGatherer<Item, Result>(options: GathererOptions<Item, Result>): Gatherer<Item, Result> {
  const waiting: Waiting<Item, Result>[] = [];
  const whenIdle: (() => void)[] = [];
  let batchesInFlight = 0;
  let itemsInFlight = 0;
  let bytesWaiting = 0;
  let scheduled = false;

  function send(): void {
    scheduled = false;
    while (waiting.length > 0 && batchesInFlight < options.maxInFlight) void flush(takeBatch());
  }

  function takeBatch(): Waiting<Item, Result>[] {
    let bytes = 0;
    let count = 0;
    for (const { bytes: size } of waiting) {
      if (count === options.maxItems || (count > 0 && bytes + size > (options.maxBytes ?? Number.POSITIVE_INFINITY)))
        break;
      bytes += size;
      count++;
    }
    bytesWaiting -= bytes;
    return waiting.splice(0, count);
  }

  async function flush(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    batchesInFlight++;
    itemsInFlight += batch.length;
    try {
      const results = await options.flush(batch.map(({ item }) => item));
      if (results.length !== batch.length) throw new RangeError("A flush must answer every item.");
      for (const [index, result] of results.entries()) batch[index]?.resolve(result);
    } catch (error) {
      for (const item of batch) item.reject(error);
    }
    batchesInFlight--;
    itemsInFlight -= batch.length;
    send();
    if (waiting.length + itemsInFlight === 0) for (const resolve of whenIdle.splice(0)) resolve();
  }

  return {
    add(item) {
      const { maxWaiting = Number.POSITIVE_INFINITY, maxWaitingBytes = Number.POSITIVE_INFINITY } = options;
      const bytes = options.bytesOf?.(item) ?? 0;
      if (waiting.length >= maxWaiting || bytesWaiting + bytes > maxWaitingBytes) {
        return Promise.reject(options.overflow?.() ?? new RangeError("Too much is waiting."));
      }
      return new Promise<Result>((resolve, reject) => {
        waiting.push({ item, bytes, resolve, reject });
        bytesWaiting += bytes;
        if (scheduled || batchesInFlight >= options.maxInFlight) return;
        scheduled = true;
        queueMicrotask(send);
      });
    },
    size: () => waiting.length + itemsInFlight,
    idle: () =>
      waiting.length + itemsInFlight === 0
        ? Promise.resolve()
        : new Promise((resolve) => whenIdle.push(() => resolve())),
  };
}
