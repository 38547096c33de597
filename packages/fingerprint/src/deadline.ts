/** A signal that is aborted after a time, or with the caller's. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Lets go of the timer and of the caller's signal. */
  stop(): void;
}

/**
 * Starts a deadline. Not `AbortSignal.any` with `AbortSignal.timeout`: Node may collect the timeout as garbage, and it
 * never fires (https://github.com/nodejs/node/issues/57736).
 */
export function startDeadline(timeoutMs: number, caller?: AbortSignal): Deadline {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const timer = setTimeout(abort, timeoutMs);
  caller?.addEventListener("abort", abort, { once: true });
  return {
    signal: controller.signal,
    stop() {
      clearTimeout(timer);
      caller?.removeEventListener("abort", abort);
    },
  };
}
