import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { hasEnded, untilEnded } from "./child-ended.ts";
import { freePort, type PrivateRedis, type UntilReady } from "./private-redis.ts";

interface Running {
  readonly redis: ChildProcess;
  readonly watchdog: ChildProcess;
}

/** The path of a `redis-server` 7 or later, or of a `valkey-server`, if there is one on the PATH. */
export function findRedisBinary(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const candidates = ["redis-server", "valkey-server"].flatMap((name) => folders.map((folder) => join(folder, name)));
  return candidates.find((path) => isExecutable(path) && isRecent(path));
}

/** Starts a binary on a free port with its data in a new folder. */
export async function startRedisProcess(
  binary: string,
  args: readonly string[],
  untilReady: UntilReady,
): Promise<PrivateRedis> {
  const dir = mkdtempSync(join(tmpdir(), "assay-redis-"));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const place = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", dir, "--loglevel", "warning"];
  const start = () => launch(binary, [...place, ...args], url, dir, untilReady);
  const remove = () => rmSync(dir, { recursive: true, force: true });
  let running = await start().catch((error: unknown) => {
    remove();
    throw error;
  });
  const kill = async (signal: NodeJS.Signals) => {
    if (hasEnded(running.redis)) return;
    running.redis.kill(signal);
    if (signal !== "SIGSTOP" && signal !== "SIGCONT") await untilEnded(running.redis);
  };
  return {
    url,
    port,
    dir,
    get pid() {
      return running.redis.pid;
    },
    kill,
    async restart() {
      await endAll(running);
      running = await start();
    },
    async stop() {
      await endAll(running);
      remove();
    },
  };
}

async function launch(
  binary: string,
  args: readonly string[],
  url: string,
  dir: string,
  untilReady: UntilReady,
): Promise<Running> {
  const redis = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const keep = (chunk: Buffer) => {
    output = `${output}${chunk.toString()}`.slice(-4_000);
  };
  redis.stdout.on("data", keep);
  redis.stderr.on("data", keep);
  await once(redis, "spawn");
  const running: Running = { redis, watchdog: watch(redis, dir) };
  const ended = new AbortController();
  redis.once("exit", () => ended.abort());
  await untilReady(url, ended.signal);
  if (!hasEnded(redis)) return running;
  await endAll(running);
  throw new Error(`${binary} ended before it answered:\n${output}`);
}

// When the test process dies, however hard, its end of the pipe closes: then Redis and its data go too.
function watch(redis: ChildProcess, dir: string): ChildProcess {
  const script = 'cat >/dev/null; kill -9 "$0" 2>/dev/null; rm -rf -- "$1"';
  return spawn("sh", ["-c", script, `${redis.pid}`, dir], { stdio: ["pipe", "ignore", "ignore"] });
}

async function endAll({ redis, watchdog }: Running): Promise<void> {
  // Redis first: whenever this process is killed, either is still watched or gone.
  redis.kill("SIGKILL");
  await untilEnded(redis);
  watchdog.kill("SIGKILL");
  await untilEnded(watchdog);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isRecent(path: string): boolean {
  const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8" });
  return Number(/ v=(\d+)\./.exec(stdout)?.[1] ?? 0) >= 7;
}
