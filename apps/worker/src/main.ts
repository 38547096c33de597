import { extname } from "node:path";
import { configOrExit, createLogger, runUntilSignal } from "@assay/host";
import { loadConfig } from "./config.ts";
import { RulesetsUnusableError } from "./load-tested.ts";
import { runWorker } from "./run-worker.ts";

// Below the 30 s that Kubernetes grants.
const STOP_DEADLINE_MS = 25_000;

const config = configOrExit(loadConfig);
const logger = createLogger({ name: "worker", level: config.logLevel });
const giveUp = new AbortController();
const stops: (() => Promise<void>)[] = [async () => giveUp.abort()];
runUntilSignal({ logger, deadlineMs: STOP_DEADLINE_MS, stops });

// The same file as source and as built: only the ending differs.
const suspectFile = new URL(`./suspect${extname(import.meta.url)}`, import.meta.url);
try {
  const worker = await runWorker({ config, logger, suspectFile, signal: giveUp.signal });
  stops.push(() => worker.stop());
} catch (error) {
  // A start that a signal ended is no failure.
  if (!giveUp.signal.aborted) {
    // For people: the faults are shown with the lines they stand on.
    if (error instanceof RulesetsUnusableError) process.stderr.write(`${error.text}\n`);
    logger.fatal({ err: error }, "could not start");
    process.exit(1);
  }
}
