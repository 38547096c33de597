import { parentPort, workerData } from "node:worker_threads";
import { serveBatchJudge } from "./judge-thread.ts";

// What a thread runs.
if (parentPort !== null) serveBatchJudge(parentPort, workerData);
