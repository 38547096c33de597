import { extname } from "node:path";
import { createLogger, runUntilSignal } from "@assay/host";
import { loadConfig } from "./config.ts";
import { runWorker } from "./run-worker.ts";

// The platform's grace period is 30 s as a rule.
const STOP_DEADLINE_MS = 25_000;

const config = loadConfig();
const logger = createLogger({ name: "worker", level: config.logLevel });
const giveUp = new AbortController();
const stops: (() => Promise<void>)[] = [async () => giveUp.abort()];
runUntilSignal({ logger, deadlineMs: STOP_DEADLINE_MS, stops });

// The same file as source and as built: only the ending differs.
const suspectFile = new URL(`./suspect${extname(import.meta.url)}`, import.meta.url);
const worker = await runWorker({ config, logger, suspectFile, signal: giveUp.signal });
stops.push(() => worker.stop());
