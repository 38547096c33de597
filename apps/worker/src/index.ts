export { loadConfig, type WorkerConfig } from "./config.ts";
export { readDoorbell } from "./doorbell.ts";
export { RulesetsUnusableError } from "./load-tested.ts";
export { type RunningWorker, type RunOptions, runWorker } from "./run-worker.ts";
export type { Source, Sourced } from "./sourced.ts";
export { createSuspectProcess } from "./suspect-process.ts";
