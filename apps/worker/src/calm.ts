import type { Logger, RateLimitedLog } from "@assay/host";
import { isPassing, redisErrorKind } from "@assay/ledger";
import type { WorkerMetrics } from "./metrics.ts";

/** Something that fetches work, and can be held. */
interface Fetching {
  pause(): Promise<unknown>;
  resume(): Promise<unknown>;
}

/**
 * Holds all fetching while Redis cannot serve: a worker that fetches from a full or read-only Redis does nothing but
 * fail, thousands of times a second. Fetching goes on as soon as a write succeeds.
 */
export interface Calm {
  watch(fetching: Fetching): void;
  /** An error of Redis's was seen. Returns at once. */
  trouble(error: Error): void;
  /** Whether fetching is held now: Redis cannot serve. */
  isHolding(): boolean;
  stop(): Promise<void>;
}

export interface CalmOptions {
  /** Writes something small; rejects while Redis cannot. */
  probe(): Promise<void>;
  delay(ms: number, signal: AbortSignal): Promise<void>;
  readonly log: RateLimitedLog;
  readonly logger: Logger;
  readonly metrics: WorkerMetrics;
}

const PROBE_EVERY_MS = 250;

export function createCalm(options: CalmOptions): Calm {
  const stopped = new AbortController();
  let fetching: Fetching | undefined;
  let holding: Promise<void> | undefined;

  async function hold(): Promise<void> {
    await fetching?.pause();
    do {
      await options.delay(PROBE_EVERY_MS, stopped.signal);
    } while (!stopped.signal.aborted && !(await answers()));
    holding = undefined;
    if (stopped.signal.aborted) return;
    await fetching?.resume();
    options.logger.info("redis serves again: fetching goes on");
  }

  async function answers(): Promise<boolean> {
    try {
      await options.probe();
      return true;
    } catch {
      return false;
    }
  }

  return {
    watch(given) {
      fetching = given;
    },
    trouble(cause) {
      options.metrics.redisErrors.inc({ kind: redisErrorKind(cause) });
      options.log.warn({ err: cause }, "redis does not serve");
      if (!isPassing(cause) || stopped.signal.aborted) return;
      holding ??= hold().catch((failure: unknown) => {
        holding = undefined;
        options.log.error({ err: failure }, "fetching could not be held");
      });
    },
    isHolding: () => holding !== undefined,
    async stop() {
      stopped.abort();
      await holding;
    },
  };
}
