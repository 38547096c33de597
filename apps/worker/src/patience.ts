import { isPassing } from "@assay/ledger";

/** Raised when a job must be let go while Redis does not answer: the process stops, or the job's lock is lost. */
export class LetGo extends Error {
  override readonly name = "LetGo";
  readonly code = "let_go";
}

export interface PatienceOptions {
  /** Told of each failure of Redis's, before the next try. */
  onHiccup(error: Error): void;
  /** Waits for `ms`, or less when the signal aborts. */
  delay(ms: number, signal: AbortSignal): Promise<void>;
}

/** Repeats one script until Redis answers it. A script that is wrong is not repeated: its error is thrown. */
export type Patience = <Result>(run: () => Promise<Result>, signal: AbortSignal) => Promise<Result>;

const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 1000;

/** A hiccup of Redis's is nobody's fault: the work stays in hand, and only the script that failed is repeated. */
export function createPatience(options: PatienceOptions): Patience {
  return async (run, signal) => {
    for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, MAX_DELAY_MS)) {
      if (signal.aborted) throw new LetGo("Let go while Redis does not answer.", { cause: signal.reason });
      try {
        return await run();
      } catch (error) {
        if (!(error instanceof Error) || !isPassing(error)) throw error;
        options.onHiccup(error);
        await options.delay(delayMs, signal);
      }
    }
  };
}
