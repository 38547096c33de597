import {
  type Consumer,
  type ConsumeOptions,
  receiveVerdicts,
  type ReceivedVerdict,
  runConsumer,
  type SubscribeOptions,
  type TailedVerdict,
  type TailOptions,
  type VerdictHandler,
} from "./verdict-stream.ts";
import type { VerdictGroup } from "./verdict-group.ts";

/** Where a client's consumers and subscriptions come from, and where they end. */
export interface VerdictSources {
  readonly consume: (options: ConsumeOptions, handler: VerdictHandler) => Consumer;
  readonly subscribe: (options: SubscribeOptions) => AsyncIterable<ReceivedVerdict>;
  readonly tail: (options: TailOptions) => AsyncIterable<TailedVerdict>;
  /** Ends them all. Safe to call twice. */
  stop(): Promise<void>;
}

/** One consumer's place in a group, until it is stopped. */
export interface Place {
  /** Resolves when the first read may be tried, or the place has ended. */
  readonly ready: Promise<void>;
  readonly group: VerdictGroup;
  readonly signal: AbortSignal;
  /** Ends it; resolves when `work` has, and what it held is free. */
  stop(work?: Promise<unknown>): Promise<void>;
}

/** What comes by until `signal` aborts. */
export type Tail = (options: TailOptions, signal: AbortSignal) => AsyncIterable<TailedVerdict>;

/** Opens nothing yet: each consumer and subscription takes a place of its own, and so does each tail. */
export function openVerdictSources(takePlace: (wanted: ConsumeOptions) => Place, tail: Tail): VerdictSources {
  const stops = new Set<() => Promise<void>>();

  function track(stopOnce: () => Promise<void>, signal: AbortSignal | undefined): () => Promise<void> {
    let stopping: Promise<void> | undefined;
    const stop = () => {
      stopping ??= stopOnce().finally(() => {
        stops.delete(stop);
        signal?.removeEventListener("abort", onAbort);
      });
      return stopping;
    };
    const onAbort = () => void stop();
    stops.add(stop);
    signal?.addEventListener("abort", onAbort);
    if (signal?.aborted === true) onAbort();
    return stop;
  }

  return {
    consume(wanted, handler) {
      const place = takePlace(wanted);
      const { concurrency, onError } = wanted;
      const work = place.ready.then(() =>
        runConsumer(place.group, handler, {
          signal: place.signal,
          ...(concurrency === undefined ? {} : { concurrency }),
          ...(onError === undefined ? {} : { onError }),
        }),
      );
      return { stop: track(() => place.stop(work), wanted.signal) };
    },
    async *subscribe(wanted) {
      const place = takePlace(wanted);
      const stop = track(() => place.stop(), wanted.signal);
      try {
        await place.ready;
        yield* receiveVerdicts(place.group, place.signal);
      } finally {
        await stop();
      }
    },
    async *tail(wanted) {
      const ending = new AbortController();
      const stop = track(() => Promise.resolve(ending.abort()), wanted.signal);
      try {
        yield* tail(wanted, ending.signal);
      } finally {
        await stop();
      }
    },
    async stop() {
      await Promise.all([...stops].map((stop) => stop()));
    },
  };
}
