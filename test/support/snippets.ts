import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A fenced block. `run` is its name from the info string: "```ts run=decide". */
export interface Block {
  readonly language: string;
  readonly run: string | undefined;
  readonly text: string;
}

/** A row of a table: column title → cell. */
export type Row = Readonly<Record<string, string>>;

/** What README writes where its reader puts his own. */
export interface Place {
  readonly url: string;
  readonly redisUrl: string;
  readonly key: string;
  readonly sealedKey: string;
  readonly workerAdminPort: number;
  readonly routePort: number;
}

/** The one list of what is changed in a snippet before it runs. Everything else runs as it stands. */
const PLACEHOLDERS: ReadonlyMap<string, (place: Place) => string> = new Map([
  ["http://localhost:8080", ({ url }) => url],
  ["redis://localhost:6379", ({ redisUrl }) => redisUrl],
  ["your-secret", ({ key }) => key],
  ["your-sealed-key", ({ sealedKey }) => sealedKey],
  ["ASSAY_ADMIN_PORT=9091", ({ workerAdminPort }) => `ASSAY_ADMIN_PORT=${workerAdminPort}`],
  [".listen(3000)", ({ routePort }) => `.listen(${routePort})`],
]);

/** A snippet with every placeholder filled in. */
export function fillIn(text: string, place: Place): string {
  return [...PLACEHOLDERS].reduce((filled, [placeholder, value]) => filled.replaceAll(placeholder, value(place)), text);
}

/** A document of the repository's root. */
export function readDocument(name: string): string {
  return readFileSync(join(ROOT, name), "utf8");
}

/** Every fenced block of a document, in order. */
export function blocksOf(document: string): Block[] {
  return [...document.matchAll(/^```(\w+)(?: run=([\w./-]+))?\n(.*?)^```$/gms)].map(
    ([, language = "", run, text = ""]) => ({
      language,
      run,
      text,
    }),
  );
}

/** The block of a name. Throws when there is none. */
export function blockOf(document: string, run: string): string {
  const block = blocksOf(document).find((candidate) => candidate.run === run);
  if (block === undefined) throw new Error(`There is no block run=${run}.`);
  return block.text;
}

/** The rows of the first table whose first column has this title. Backticks around a whole cell are dropped. */
export function tableOf(document: string, firstColumn: string): Row[] {
  const lines = document.split("\n");
  const start = lines.findIndex((line) => cellsOf(line)[0] === firstColumn);
  if (start === -1) throw new Error(`There is no table that begins with the column ${firstColumn}.`);
  const titles = cellsOf(lines[start] ?? "");
  const end = lines.findIndex((line, index) => index > start && !line.startsWith("|"));
  return lines.slice(start + 2, end === -1 ? undefined : end).map((line) => {
    const cells = cellsOf(line);
    return Object.fromEntries(titles.map((title, index) => [title, (cells[index] ?? "").replace(/^`([^`]*)`$/, "$1")]));
  });
}

function cellsOf(line: string): string[] {
  if (!line.startsWith("|")) return [];
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));
}

/** Paths of all files of the repository, from its root, without what is installed, built or hidden. */
export function repositoryFiles(folder = ""): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    if (/^\.|^(?:node_modules|dist|coverage)$/.test(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? repositoryFiles(path) : [path];
  });
}

/** Targets of a document's links to files of the repository that are not there. */
export function brokenLinks(document: string): string[] {
  const targets = [...document.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target = ""]) => target);
  return targets.filter((target) => !target.includes("://") && !existsSync(join(ROOT, target)));
}

/** The npm scripts and the programs of `script/` that a document names. */
export function commandsOf(document: string): { readonly scripts: string[]; readonly programs: string[] } {
  const named = (pattern: RegExp) => [...document.matchAll(pattern)].map(([, name = ""]) => name);
  return { scripts: named(/npm run ([\w:]+)/g), programs: named(/(?<![\w/])(script\/[\w-]+(?:\.mjs)?)/g) };
}

/** A folder inside the test workspace, so that what lies in it may import `@assay/*`. */
export interface SnippetFolder {
  /** Writes a file; returns its path from the repository's root. */
  write(name: string, text: string): string;
  remove(): void;
}

export function openSnippetFolder(): SnippetFolder {
  const folder = mkdtempSync(join(ROOT, "test/.snippets-"));
  return {
    write(name, text) {
      writeFileSync(join(folder, name), text);
      return join(folder, name).slice(ROOT.length);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** What a command line wrote and how it ended. */
interface ShellResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running command line and all its children. */
export interface Shell {
  readonly ended: Promise<ShellResult>;
  /** Ends all its children by SIGTERM; resolves when the last has ended. Safe to call twice. */
  stop(): Promise<void>;
}

/** Runs a snippet in `sh` at the repository's root. When this process dies, what it started goes too. */
export function startShell(text: string, env: Readonly<Record<string, string>> = {}): Shell {
  // Its group ends when its input does. Shells give background jobs no input, hence the copy.
  const watch = "exec 3<&0; (cat <&3 >/dev/null; kill -TERM -$$) 2>/dev/null >/dev/null &\n";
  const child = spawn("sh", ["-c", `${watch}exec </dev/null\n${text}`], {
    cwd: ROOT,
    detached: true,
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output.stderr += chunk.toString()));
  let code: number | null = null;
  child.once("exit", (exitCode) => {
    code = exitCode;
    child.stdin.end();
  });
  const ended = once(child, "close").then(() => ({ code, ...output }));
  return {
    ended,
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}
