import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { accessSync, chownSync, constants, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { hasEnded, untilEnded } from "./child-ended.ts";
import { eventually } from "./eventually.ts";
import { type PrivatePostgres, SETTINGS, type UntilReady } from "./private-postgres.ts";
import { freePort } from "./private-redis.ts";

const execute = promisify(execFile);

interface Running {
  readonly postgres: ChildProcess;
  readonly watchdog: ChildProcess;
}

/** Who may run Postgres: it refuses root. Empty when this process is somebody else anyway. */
interface Owner {
  readonly uid?: number;
  readonly gid?: number;
}

/** The folder with `postgres` and `initdb`: of the PATH, else where Debian keeps them, which is not on the PATH. */
export function findPostgresFolder(): string | undefined {
  const path = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...path, ...debianFolders()].find((folder) =>
    ["postgres", "initdb"].every((name) => isExecutable(join(folder, name))),
  );
}

/** Makes a cluster in a new folder and starts it on a free port. */
export async function startPostgresProcess(folder: string, untilReady: UntilReady): Promise<PrivatePostgres> {
  const owner = findOwner();
  const dir = mkdtempSync(join(tmpdir(), "assay-postgres-"));
  if (owner.uid !== undefined && owner.gid !== undefined) chownSync(dir, owner.uid, owner.gid);
  const port = await freePort();
  const url = `postgres://assay@127.0.0.1:${port}/postgres`;
  const settings = { ...SETTINGS, listen_addresses: "127.0.0.1", unix_socket_directories: "" };
  const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const start = () =>
    launch(join(folder, "postgres"), ["-D", dir, "-p", `${port}`, ...args], owner, url, dir, untilReady);
  const remove = () => rmSync(dir, { recursive: true, force: true });
  const initdb = ["-D", dir, "--username=assay", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"];
  let running = await execute(join(folder, "initdb"), initdb, { ...owner, cwd: dir })
    .then(start)
    .catch((error: unknown) => {
      remove();
      throw error;
    });
  return {
    url,
    kill: (signal) => killAll(running.postgres, signal),
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
  owner: Owner,
  url: string,
  dir: string,
  untilReady: UntilReady,
): Promise<Running> {
  const postgres = spawn(binary, args, { ...owner, cwd: dir, stdio: ["ignore", "ignore", "pipe"] });
  let output = "";
  postgres.stderr.on("data", (chunk: Buffer) => {
    output = `${output}${chunk.toString()}`.slice(-4_000);
  });
  await once(postgres, "spawn");
  const running: Running = { postgres, watchdog: watch(postgres, dir) };
  const ended = new AbortController();
  postgres.once("exit", () => ended.abort());
  await untilReady(url, ended.signal);
  if (!hasEnded(postgres)) return running;
  await endAll(running);
  throw new Error(`${binary} ended before it answered:\n${output}`);
}

// When the test process dies, however hard, its end of the pipe closes: then Postgres and its data go too.
function watch(postgres: ChildProcess, dir: string): ChildProcess {
  const script = 'cat >/dev/null; kill -9 "$0" 2>/dev/null; sleep 1; rm -rf -- "$1"';
  return spawn("sh", ["-c", script, `${postgres.pid}`, dir], { stdio: ["pipe", "ignore", "ignore"] });
}

async function endAll({ postgres, watchdog }: Running): Promise<void> {
  await killAll(postgres, "SIGKILL");
  watchdog.kill("SIGKILL");
  await untilEnded(watchdog);
}

/** Signals the server and the processes it has made, which are in sessions of their own. */
async function killAll(postgres: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(postgres)) return;
  const { stdout } = spawnSync("pgrep", ["-P", `${postgres.pid}`], { encoding: "utf8" });
  const children = stdout.split("\n").filter(Boolean).map(Number);
  postgres.kill(signal);
  for (const pid of children) signalTo(pid, signal);
  if (signal === "SIGSTOP" || signal === "SIGCONT") return;
  await untilEnded(postgres);
  // A server is not started again while a process of the old one holds its memory.
  await eventually(() => children.every(isGone), { timeoutMs: 30_000 });
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}

/** Whether a process has ended, though nobody may have asked yet how. */
function isGone(pid: number): boolean {
  return /^(?:Z|$)/.test(spawnSync("ps", ["-o", "stat=", "-p", `${pid}`], { encoding: "utf8" }).stdout.trim());
}

function findOwner(): Owner {
  if (process.getuid?.() !== 0) return {};
  const idOf = (user: string, which: "-u" | "-g") => spawnSync("id", [which, user], { encoding: "utf8" });
  const user = ["postgres", "nobody"].find((name) => idOf(name, "-u").status === 0);
  if (user === undefined) throw new Error("Postgres refuses to run as root, and there is no user postgres or nobody.");
  return { uid: Number(idOf(user, "-u").stdout), gid: Number(idOf(user, "-g").stdout) };
}

function debianFolders(): string[] {
  const root = "/usr/lib/postgresql";
  try {
    const versions = readdirSync(root).toSorted((a, b) => Number(b) - Number(a));
    return versions.map((version) => join(root, version, "bin"));
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
