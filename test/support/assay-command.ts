import { execFile } from "node:child_process";
import { cpSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "./snippets.ts";

/** What a run of `assay` left behind. */
export interface CommandRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** Where it runs; the repository's root when absent. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const execute = promisify(execFile);
let published: Promise<string> | undefined;

/** Runs the `assay` command as it is published, bundled anew from source once per test file, with only this environment. */
export async function assay(
  args: readonly string[],
  { cwd = ROOT, env = {} }: CommandOptions = {},
): Promise<CommandRun> {
  published ??= publish();
  const file = join(await published, "bin/assay.js");
  const options = { cwd, env: { PATH: process.env["PATH"] ?? "", ...env }, maxBuffer: 16 * 1024 * 1024 };
  return await new Promise((resolve) => {
    execFile(process.execPath, [file, ...args], options, (error, stdout, stderr) =>
      resolve({ exitCode: typeof error?.code === "number" ? error.code : error === null ? 0 : -1, stdout, stderr }),
    );
  });
}

/** The file that holds the whole command. */
export async function assayBundle(): Promise<string> {
  published ??= publish();
  return join(await published, "dist/assay.js");
}

async function publish(): Promise<string> {
  const source = join(ROOT, "apps/cli");
  const folder = mkdtempSync(join(tmpdir(), "assay-cli-"));
  for (const part of ["package.json", "bin"]) cpSync(join(source, part), join(folder, part), { recursive: true });
  await execute(process.execPath, ["scripts/bundle.mjs", join(folder, "dist")], { cwd: source });
  return folder;
}
