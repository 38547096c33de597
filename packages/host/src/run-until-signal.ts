import type { Logger } from "./logger.ts";

export interface Lifecycle {
  readonly logger: Logger;
  /** Ms that all stops together may take; keep it below the platform's grace period. */
  readonly deadlineMs: number;
  /** Run last to first. May still grow: what is pushed before the signal is stopped too. */
  readonly stops: readonly (() => Promise<void>)[];
}

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/**
 * Binds a process to its signals; call it first in main. The first SIGTERM or SIGINT runs the stops and exits 0.
 * A second signal, the deadline, a stop that fails, or an error that nobody caught exits 1 with a log line.
 */
export function runUntilSignal(lifecycle: Lifecycle): void {
  const { logger } = lifecycle;
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopping) exit(logger, `${signal} came again: exiting at once`);
    stopping = true;
    logger.info({ signal }, "stopping");
    void stopAll(lifecycle).then((clean) => {
      if (!clean) exit(logger, "stopped, but not cleanly");
      logger.info("stopped");
      process.exit(0);
    });
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  // Node raises a rejection that nobody handled as an uncaught exception too.
  process.on("uncaughtException", (error) => exit(logger, "an error was not caught", error));
}

/** Whether every stop succeeded. */
async function stopAll({ logger, deadlineMs, stops }: Lifecycle): Promise<boolean> {
  setTimeout(() => exit(logger, `could not stop within ${deadlineMs} ms`), deadlineMs);
  let clean = true;
  for (const stop of stops.toReversed()) {
    try {
      await stop();
    } catch (error) {
      clean = false;
      logger.error({ err: error }, "a part failed to stop");
    }
  }
  return clean;
}

function exit(logger: Logger, message: string, error?: unknown): never {
  logger.fatal(error === undefined ? {} : { err: error }, message);
  process.exit(1);
}
