import { Worker } from "node:worker_threads";

const CHECK_EVERY_MS = 5000;
const BEAT_EVERY_MS = 1000;
/** Checks in a row without a beat. More than one, as a process that was frozen wakes without having beaten. */
const MAX_MISSED = 2;

// A thread of its own, because the event loop it watches cannot act any more.
const WATCH = `
const { workerData: { beats, everyMs, maxMissed } } = require("node:worker_threads");
let seen = -1;
let missed = 0;
setInterval(() => {
  const beat = Atomics.load(beats, 0);
  missed = beat === seen ? missed + 1 : 0;
  seen = beat;
  if (missed >= maxMissed) process.kill(process.pid, "SIGKILL");
}, everyMs);
`;

/** Kills this process once its event loop has stood still for 10 to 15 s. Does not keep the process alive. */
export function dieOfStandstill(): void {
  const beats = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  setInterval(() => Atomics.add(beats, 0, 1), BEAT_EVERY_MS).unref();
  const workerData = { beats, everyMs: CHECK_EVERY_MS, maxMissed: MAX_MISSED };
  new Worker(WATCH, { eval: true, execArgv: [], workerData }).unref();
}
