import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { whenReady } from "@assay/ledger";
import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { createGroupCommands } from "./group-commands.ts";
import { joinVerdictGroup, type VerdictGroup } from "./verdict-group.ts";
import {
  type Consumer,
  type ConsumeOptions,
  receiveVerdicts,
  type ReceivedVerdict,
  runConsumer,
  type SubscribeOptions,
  type VerdictHandler,
  wantedBy,
} from "./verdict-stream.ts";

/** Where a client's consumers and subscriptions come from, and where they end. */
export interface VerdictSources {
  readonly consume: (options: ConsumeOptions, handler: VerdictHandler) => Consumer;
  readonly subscribe: (options: SubscribeOptions) => AsyncIterable<ReceivedVerdict>;
  /** Ends them all. Safe to call twice. */
  stop(): Promise<void>;
}

export interface VerdictSourcesOptions {
  /** For commands. It stays the caller's to close. */
  readonly redis: Redis;
  /** Opens a connection for blocking reads. */
  readonly connect: () => Redis;
  readonly keys: Keys;
}

/** One consumer's place in a group, until it is stopped. */
interface Place {
  /** Resolves when Redis answers for the first time, or the place has ended. */
  readonly ready: Promise<void>;
  readonly group: VerdictGroup;
  readonly signal: AbortSignal;
  /** Ends it; resolves when `work` has, and what it held is free. */
  stop(work?: Promise<unknown>): Promise<void>;
}

const TAKEOVER_AFTER_MS = 60_000;
const RETRY_AFTER_MS = 1000;
/** How long a blocking read may still take when it is to end: longer means that Redis hangs. */
const MAX_LAST_READ_MS = 2000;

/** Opens nothing yet: each consumer and subscription has a connection of its own for reading. */
export function openVerdictSources(options: VerdictSourcesOptions): VerdictSources {
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
      const place = takePlace(options, wanted);
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
      const place = takePlace(options, wanted);
      const stop = track(() => place.stop(), wanted.signal);
      try {
        await place.ready;
        yield* receiveVerdicts(place.group, place.signal);
      } finally {
        await stop();
      }
    },
    async stop() {
      await Promise.all([...stops].map((stop) => stop()));
    },
  };
}

function takePlace({ redis, connect, keys }: VerdictSourcesOptions, wanted: ConsumeOptions): Place {
  const { group, takeoverAfterMs = TAKEOVER_AFTER_MS } = wanted;
  const consumer = `${hostname()}:${process.pid}:${randomBytes(4).toString("hex")}`;
  const reader = connect();
  // A failed read is reported where it is read.
  reader.on("error", () => undefined);
  const ending = new AbortController();
  const cut = new AbortController();
  const place = joinVerdictGroup({
    commands: createGroupCommands({ redis, reader, keys, group, consumer }),
    consumer,
    wants: wantedBy(wanted.filter ?? {}),
    from: wanted.from ?? "now",
    takeoverAfterMs,
    retryAfterMs: wanted.retryAfterMs ?? RETRY_AFTER_MS,
    cut: cut.signal,
    now: () => Date.now(),
  });
  return {
    ready: whenReady(redis, ending.signal).catch(() => undefined),
    group: place,
    signal: ending.signal,
    async stop(work) {
      ending.abort();
      const forced = setTimeout(() => cut.abort(), MAX_LAST_READ_MS);
      await work;
      await place.stop();
      clearTimeout(forced);
      reader.disconnect();
    },
  };
}
