import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** A folder of rulesets whose files cannot be read. The message says what to do. */
export class RulesetFilesError extends Error {
  override readonly name = "RulesetFilesError";
  readonly code = "ruleset_files_unreadable";
}

const MAX_FILES = 500;
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_DEPTH = 3;
const NAME = /^[^.].*\.(?:yaml|yml|txt)$/;

/**
 * The texts of a folder of rulesets: every `.yaml`, `.yml` and `.txt` in it and up to two folders below, by relative
 * path with `/`, sorted. Names that begin with a dot are left out, symbolic links are followed. Throws a
 * RulesetFilesError when something cannot be read or is not UTF-8, and above 500 files or 64 MiB.
 */
export async function readRulesetFiles(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  let bytes = 0;
  for (const { path, size } of await readable(folder, listFiles(folder, "", 1))) {
    bytes += size;
    if (files.size >= MAX_FILES) throw tooMuch(folder, `${MAX_FILES} files`);
    if (bytes > MAX_BYTES) throw tooMuch(folder, `${MAX_BYTES / 1024 / 1024} MiB`);
    files.set(path, textOf(join(folder, path), await readable(folder, readFile(join(folder, path)))));
  }
  return files;
}

async function listFiles(folder: string, below: string, depth: number): Promise<{ path: string; size: number }[]> {
  const found: { path: string; size: number }[] = [];
  for (const name of (await readdir(join(folder, below))).toSorted()) {
    if (name.startsWith(".")) continue;
    const path = below === "" ? name : `${below}/${name}`;
    if (!NAME.test(name) && depth === MAX_DEPTH) continue;
    const entry = await stat(join(folder, path));
    if (entry.isDirectory() && depth < MAX_DEPTH) found.push(...(await listFiles(folder, path, depth + 1)));
    else if (entry.isFile() && NAME.test(name)) found.push({ path, size: entry.size });
  }
  return found;
}

async function readable<Read>(folder: string, reading: Promise<Read>): Promise<Read> {
  try {
    return await reading;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RulesetFilesError(
      `The folder of rulesets ${folder} cannot be read: ${why}. Set ASSAY_RULESETS to a folder that can.`,
      { cause },
    );
  }
}

function textOf(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new RulesetFilesError(`${path} is not UTF-8. Save it as UTF-8.`, { cause });
  }
}

function tooMuch(folder: string, bound: string): RulesetFilesError {
  return new RulesetFilesError(
    `The folder of rulesets ${folder} holds more than ${bound} of .yaml, .yml and .txt. ` +
      "Set ASSAY_RULESETS to a folder that holds only rulesets.",
  );
}
