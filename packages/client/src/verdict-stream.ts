import { setTimeout as pause } from "node:timers/promises";
import type { Action, Kind, Verdict } from "@assay/protocol";
import type { Delivery, VerdictGroup } from "./verdict-group.ts";

/** Which verdicts are wanted: those that match every field given. */
export interface VerdictFilter {
  readonly action?: Action | readonly Action[];
  readonly flow?: string | readonly string[];
  readonly kind?: Kind | readonly Kind[];
  /** Verdicts on test events: `true` for these alone; they are left out by default. */
  readonly test?: boolean;
}

/** A place in the stream of verdicts, shared by all who name the same group: each verdict goes to one of them. */
export interface SubscribeOptions {
  readonly group: string;
  readonly filter?: VerdictFilter;
  /** Where a new group begins: `now` (default), or the `beginning` of what the stream still holds. */
  readonly from?: "now" | "beginning";
  /** After how long the verdicts of a dead consumer are taken over; default 60,000 ms. */
  readonly takeoverAfterMs?: number;
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
  readonly deliveries: number;
  readonly ack: () => Promise<void>;
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

/** What a filter wants. */
export function wantedBy(filter: VerdictFilter): (verdict: Verdict) => boolean {
  return ({ action, kind, context, test = false }) =>
    test === (filter.test ?? false) &&
    matches(filter.action, action) &&
    matches(filter.kind, kind) &&
    matches(filter.flow, context?.flow);
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

function matches<Value>(wanted: Value | readonly Value[] | undefined, value: Value | undefined): boolean {
  return wanted === undefined || [wanted].flat().some((one) => one === value);
}
