import { spawn } from "node:child_process";
import { once } from "node:events";
import { ROOT } from "../../support/snippets.ts";

/** Told by every process as it ends: the most memory that it took, in KiB, and its time of processors, in µs. */
const TOLD = `data:text/javascript,import { isMainThread } from "node:worker_threads";
if (isMainThread) process.on("exit", () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  console.error("told", maxRSS, userCPUTime + systemCPUTime);
});`;

/** What a process took. */
export interface Turn {
  readonly perSecond: number;
  readonly cpuMicros: number;
  readonly mebibytes: number;
}

/** Runs Node with these arguments, which judge or read so many rows, and measures the whole process. */
export async function turn(
  count: number,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Turn> {
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, ["--import", TOLD, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const [code] = await once(child, "close");
  const seconds = (performance.now() - startedAtMs) / 1000;
  const [, kibibytes, micros] = /told (\d+) (\d+)/.exec(errors) ?? [];
  if (code !== 0) throw new Error(`${args.join(" ")} failed: ${errors}`);
  return { perSecond: count / seconds, cpuMicros: Number(micros) / count, mebibytes: Number(kibibytes) / 1024 };
}

/** A line that says it. */
export function show(name: string, { perSecond, cpuMicros, mebibytes }: Turn): string {
  return `${name}: ${Math.round(perSecond)} rows/s, ${cpuMicros.toFixed(0)} µs CPU a row, ${mebibytes.toFixed(0)} MiB`;
}
