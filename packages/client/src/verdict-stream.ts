import { setTimeout as pause } from "node:timers/promises";
import type { VerdictArchive } from "@assay/ledger";
import type { Verdict } from "@assay/protocol";
import type { Trimmed } from "./trimmed.ts";
import type { VerdictFilter } from "./verdict-filter.ts";
import type { Delivery, VerdictGroup } from "./verdict-group.ts";

/**
 * A place in the stream of verdicts, shared by all who name the same group: each verdict goes to one of them. Over HTTP
 * a group is not known: every subscription gets every verdict, and its place lasts as long as the subscription.
 */
export interface SubscribeOptions {
  readonly group: string;
  readonly filter?: VerdictFilter;
  /** Where it begins, if it is new: `now` (default), or the `beginning` of what the stream still holds. */
  readonly from?: "now" | "beginning";
  /** Over HTTP: the `id` of a verdict of an earlier subscription, to go on behind it. A group knows its place itself. */
  readonly after?: string;
  /** After how long the verdicts of a dead consumer are taken over; default 60,000 ms. */
  readonly takeoverAfterMs?: number;
  /**
   * Learns of verdicts that the stream gave up before this group was given them: it was away for longer than the stream
   * holds them. Told to one consumer of the group. Default: a warning of this process.
   */
  readonly onTrimmed?: (trimmed: Trimmed) => void;
  /**
   * Where verdicts can be read that the stream gave up: they come from there, before those that are left. The reader of
   * `@assay/archive` is one. Over HTTP it is the ingress that has it, and this is not used.
   */
  readonly archive?: VerdictArchive;
  /** Ends the subscription. */
  readonly signal?: AbortSignal;
}

export interface ConsumeOptions extends SubscribeOptions {
  /** Most handlers at once; default 8. */
  readonly concurrency?: number;
  /** Pause before the second delivery; default 1,000 ms. It doubles with each, up to 60 s. */
  readonly retryAfterMs?: number;
  /** Learns what a handler threw, and of each failed read while Redis is away. Default: nobody does. */
  readonly onError?: (error: unknown) => void;
}

/** `signal` aborts when the consumer is being stopped, which waits for the handler. `deliveries` counts this one too. */
export type VerdictHandler = (
  verdict: Verdict,
  context: { readonly signal: AbortSignal; readonly deliveries: number },
) => Promise<void> | void;

/** Runs a handler on each verdict of a group. */
export interface Consumer {
  /** Takes no more, and resolves when the running handlers have finished. Safe to call twice. */
  stop(): Promise<void>;
}

/** A verdict, to be acknowledged once it has been dealt with. Delivery is at least once: dedupe by its `id`. */
export interface ReceivedVerdict {
  readonly verdict: Verdict;
  /** Its place in the stream, over HTTP: for `after` of a later subscription, once this one is acknowledged. */
  readonly id?: string;
  readonly deliveries: number;
  readonly ack: () => Promise<void>;
}

/** What comes by, without a group: nothing is acknowledged, and nobody else gets less. */
export interface TailOptions {
  /** `now` (default, at the first pull), or behind a verdict, by the `id` that came with it. */
  readonly from?: string;
  readonly filter?: VerdictFilter;
  /** Learns of verdicts that the stream gave up before they were received. Default: a warning of this process. */
  readonly onTrimmed?: (trimmed: Trimmed) => void;
  /** As of a subscription. */
  readonly archive?: VerdictArchive;
  /** Learns of each failed read or connection, and of what could not be read. Default: nobody does. */
  readonly onError?: (error: unknown) => void;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** A verdict that came by. */
export interface TailedVerdict {
  readonly verdict: Verdict;
  /** Its place in the stream, for `from`. It says nothing else. */
  readonly id: string;
}

const PAUSE_MS = 1000;
const BUFFER = 16;

/** Handles deliveries until `signal` aborts; resolves when the last handler has finished. */
export async function runConsumer(
  group: VerdictGroup,
  handler: VerdictHandler,
  options: Pick<ConsumeOptions, "concurrency" | "onError"> & { readonly signal: AbortSignal },
): Promise<void> {
  const { concurrency = 8, onError = () => undefined, signal } = options;
  const running = new Set<Promise<void>>();
  while (!signal.aborted) {
    if (running.size >= concurrency) {
      await Promise.race(running);
      continue;
    }
    const deliveries = await readCalmly(group, concurrency - running.size, signal, onError);
    // What came too late is left to others.
    if (signal.aborted) break;
    for (const delivery of deliveries) {
      const work = handle(group, delivery, handler, signal)
        .catch(onError)
        .finally(() => running.delete(work));
      running.add(work);
    }
  }
  await Promise.all(running);
}

/** Yields deliveries until `signal` aborts. What is not acknowledged when the iteration ends goes to another consumer. */
export async function* receiveVerdicts(
  group: VerdictGroup,
  signal: AbortSignal,
): AsyncGenerator<ReceivedVerdict, void> {
  while (!signal.aborted) {
    for (const delivery of await readCalmly(group, BUFFER, signal, () => undefined)) {
      if (signal.aborted) return;
      const { verdict, deliveries } = delivery;
      yield { verdict, deliveries, ack: () => group.acknowledge(delivery) };
    }
  }
}

// The handler's own error goes on to onError, after the delivery has been given back.
async function handle(
  group: VerdictGroup,
  delivery: Delivery,
  handler: VerdictHandler,
  signal: AbortSignal,
): Promise<void> {
  try {
    await handler(delivery.verdict, { signal, deliveries: delivery.deliveries });
  } catch (error) {
    group.giveBack(delivery);
    throw error;
  }
  await group.acknowledge(delivery);
}

// Redis is away: that is waited out.
async function readCalmly(
  group: VerdictGroup,
  count: number,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): Promise<Delivery[]> {
  try {
    return await group.read(count);
  } catch (error) {
    if (!signal.aborted) onError(error);
    await pause(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    return [];
  }
}
