import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A line an app logged. */
type LogLine = Readonly<Record<string, unknown>>;

/** A real process of an app. */
export interface AppProcess {
  readonly pid: number;
  /** Everything it wrote to stdout and stderr, line by line. */
  readonly output: readonly string[];
  /** Resolves with the first log line that fits, seen or yet to come; rejects when the process ends before. */
  line(fits: (line: LogLine) => boolean): Promise<LogLine>;
  /** Resolves when the process has ended, however it did. */
  readonly exited: Promise<unknown>;
  /** Sends a signal; resolves when the process has ended, at once for SIGSTOP and SIGCONT. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** SIGTERM, and waits. Safe to call twice. */
  stop(): Promise<void>;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Whether everything was built just now: then a process starts in half the time. */
const isBuilt = process.env["ASSAY_TEST_BUILT"] === "1";

/** Starts a file, given from this repository's root, as source or as built, with nothing but this environment. */
export function startApp(
  given: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): AppProcess {
  const file = isBuilt ? given.replace(/^(apps\/\w+)\/src\/(\w+)\.ts$/, "$1/dist/$2.js") : given;
  const fromSource = file.endsWith(".ts") ? ["--import", "tsx", "--conditions=@assay/source"] : [];
  const child = spawn(process.execPath, [...fromSource, file, ...args], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"] ?? "", NODE_NO_WARNINGS: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: string[] = [];
  const watchers = new Set<(text: string) => void>();
  const read = (text: string) => {
    output.push(text);
    for (const watcher of watchers) watcher(text);
  };
  createInterface({ input: child.stdout }).on("line", read);
  createInterface({ input: child.stderr }).on("line", read);
  const exited = once(child, "exit");
  return {
    pid: child.pid ?? 0,
    output,
    exited,
    line: (fits) => findLine({ child, output, watchers, exited }, fits),
    async kill(signal) {
      child.kill(signal);
      if (signal !== "SIGSTOP" && signal !== "SIGCONT") await exited;
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
      await exited;
    },
  };
}

interface Watched {
  readonly child: ChildProcess;
  readonly output: readonly string[];
  readonly watchers: Set<(text: string) => void>;
  readonly exited: Promise<unknown>;
}

async function findLine(watched: Watched, fits: (line: LogLine) => boolean): Promise<LogLine> {
  const seen = watched.output.map(parseLine).find((line) => line !== undefined && fits(line));
  if (seen !== undefined) return seen;
  return await new Promise<LogLine>((resolve, reject) => {
    const watcher = (text: string) => {
      const line = parseLine(text);
      if (line === undefined || !fits(line)) return;
      watched.watchers.delete(watcher);
      resolve(line);
    };
    watched.watchers.add(watcher);
    watched.exited
      .then(() => reject(new Error(`The process ended. It wrote:\n${watched.output.slice(-20).join("\n")}`)))
      .catch(reject);
  });
}

function parseLine(text: string): LogLine | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const line: LogLine = JSON.parse(text);
    return line;
  } catch {
    return undefined;
  }
}
