export { loadConfig, type WorkerConfig } from "./config.ts";
export { readDoorbell } from "./doorbell.ts";
export { RulesetsUnusableError } from "./load-tested.ts";
export type { RunOptions } from "./run-options.ts";
export { type RunningWorker, runWorker } from "./run-worker.ts";
export type { Source, Sourced } from "./sourced.ts";
export { createSuspectProcess } from "./suspect-process.ts";
