import { CommandError, EXIT } from "../report.ts";

/** Waits for what may pass, and gives up when it has lasted too long. */
export interface Patience {
  /** Waits for `forMs`, or ever longer. Throws a CommandError when `giveUpAfterMs` have passed since the last `reset`. */
  wait(why: string, forMs?: number): Promise<void>;
  /** It went on. */
  reset(): void;
}

export interface PatienceOptions {
  readonly giveUpAfterMs: number;
  /** Unix ms; goes on. */
  readonly clock: () => number;
  readonly delay: (ms: number) => Promise<unknown>;
  /** Told of each wait. */
  readonly onWait: (why: string) => void;
}

const FIRST_MS = 1000;
const LONGEST_MS = 60_000;

export function createPatience({ giveUpAfterMs, clock, delay, onWait }: PatienceOptions): Patience {
  let since: number | undefined;
  let waits = 0;
  return {
    async wait(why, forMs) {
      since ??= clock();
      const leftMs = since + giveUpAfterMs - clock();
      if (leftMs <= 0) {
        const minutes = Math.max(1, Math.round(giveUpAfterMs / 60_000));
        throw new CommandError(EXIT.unavailable, `${why}, for ${minutes} minutes or longer.`);
      }
      onWait(why);
      await delay(Math.min(forMs ?? FIRST_MS * 2 ** waits, LONGEST_MS, leftMs));
      waits += 1;
    },
    reset() {
      since = undefined;
      waits = 0;
    },
  };
}
