import { readVerdict, type VerdictState } from "@assay/ledger";
import { decidedChannel, type Keys } from "@assay/protocol";
import type { Redis } from "ioredis";

/** A decided submission: its verdict's JSON, or that the verdict is no longer kept. */
export type Decided = Extract<VerdictState, { readonly status: "decided" | "expired" }>;

/** Waits for verdicts of submissions that are, or are about to be, accepted. */
export interface VerdictWaiter {
  /**
   * Resolves when the submission is decided; undefined after `timeoutMs`, or when the waiter is stopped.
   * Redis being away only makes it wait. Rejects with the reason of `signal` when that aborts.
   */
  waitFor(
    id: string,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Decided | undefined>;
  /** Ends every wait and the subscription. Safe to call twice. */
  stop(): Promise<void>;
}

export interface VerdictWaiterOptions {
  /** A connection for commands. It stays the caller's to close. */
  readonly redis: Redis;
  /** Opens the connection that is subscribed. It is opened at the first wait, and closed by `stop`. */
  readonly connect: () => Redis;
  readonly keys: Keys;
  readonly prefix?: string;
}

const REREAD_MS = 1000;

interface Wait {
  check(): void;
  end(): void;
}

/** All waits share one subscription. A message is only a hint to read the record, which every wait also does by itself. */
export function createVerdictWaiter({ redis, connect, keys, prefix }: VerdictWaiterOptions): VerdictWaiter {
  const waits = new Map<string, Set<Wait>>();
  let subscription: { readonly redis: Redis; readonly active: Promise<unknown> } | undefined;
  let stopped = false;

  function subscribe(): Promise<unknown> {
    if (subscription !== undefined) return subscription.active;
    const subscriber = connect();
    // It reconnects and subscribes again by itself; meanwhile the waits read.
    subscriber.on("error", () => undefined);
    subscriber.on("message", (_channel: string, ids: string) => {
      for (const id of ids.split(",")) for (const wait of waits.get(id) ?? []) wait.check();
    });
    const active = subscriber.subscribe(decidedChannel(prefix)).catch(() => undefined);
    subscription = { redis: subscriber, active };
    return active;
  }

  function register(id: string, wait: Wait): () => void {
    const others = waits.get(id) ?? new Set();
    waits.set(id, others.add(wait));
    return () => {
      others.delete(wait);
      if (others.size === 0 && waits.get(id) === others) waits.delete(id);
    };
  }

  return {
    waitFor(id, { timeoutMs, signal }) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(reasonOf(signal));
        if (stopped) return resolve(undefined);
        const finish = (settle: () => void) => {
          unregister();
          clearTimeout(timer);
          clearInterval(rereading);
          signal?.removeEventListener("abort", onAbort);
          settle();
        };
        const check = () => void readDecided(redis, keys, id).then((state) => state && finish(() => resolve(state)));
        const end = () => finish(() => resolve(undefined));
        const onAbort = () => finish(() => reject(reasonOf(signal)));
        const unregister = register(id, { check, end });
        const timer = setTimeout(end, timeoutMs);
        const rereading = setInterval(check, REREAD_MS);
        signal?.addEventListener("abort", onAbort);
        // Only a read that follows the subscription sees what was decided before it.
        void subscribe().then(check);
      });
    },
    stop() {
      stopped = true;
      for (const wait of [...waits.values()].flatMap((others) => [...others])) wait.end();
      // Without a QUIT, which would wait for a Redis that hangs.
      subscription?.redis.disconnect();
      return Promise.resolve();
    },
  };
}

// A read that fails says nothing: the next one may.
async function readDecided(redis: Redis, keys: Keys, id: string): Promise<Decided | undefined> {
  try {
    const state = await readVerdict(redis, keys, id);
    return state.status === "decided" || state.status === "expired" ? state : undefined;
  } catch {
    return undefined;
  }
}

function reasonOf(signal: AbortSignal | undefined): Error {
  return signal?.reason instanceof Error
    ? signal.reason
    : new Error("The wait was aborted.", { cause: signal?.reason });
}
