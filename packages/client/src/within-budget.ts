import { setTimeout as pause } from "node:timers/promises";
import { ProblemError } from "@assay/protocol";
import { unavailable } from "./errors.ts";

/** How long a call may take, in ms, and what ends it earlier. */
export interface Budget {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

/**
 * Repeats `attempt` until it succeeds or fails with what no repetition cures. Each attempt learns the time that is left
 * and gets a signal that ends it; one that does not listen is left alone.
 * Throws the last ProblemError when the time is over (`unavailable` when there was none), or the reason of `signal`.
 */
export async function withinBudget<Result>(
  attempt: (signal: AbortSignal, leftMs: number) => Promise<Result>,
  { timeoutMs, signal }: Budget,
): Promise<Result> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(new Error(`There was no answer within ${timeoutMs} ms.`)), timeoutMs);
  const onAbort = () => over.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted === true) onAbort();
  const endsAt = performance.now() + timeoutMs;
  let last: ProblemError | undefined;
  try {
    for (let tries = 0; !over.signal.aborted; tries++) {
      try {
        return await unlessAborted(attempt(over.signal, Math.max(endsAt - performance.now(), 0)), over.signal);
      } catch (error) {
        const mayPass = error instanceof ProblemError && error.retryable;
        if (!mayPass && error !== over.signal.reason) throw error;
        // What the end of time cut off says less than the failure before it.
        if (over.signal.aborted) break;
        if (mayPass) last = error;
      }
      // With jitter: many callers fail at the same moment.
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** tries, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2);
      await pause(pauseMs, undefined, { signal: over.signal }).catch(() => undefined);
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
  if (signal?.aborted === true) throw signal.reason;
  throw last ?? unavailable(over.signal.reason);
}

async function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
