import { stat } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { readRulesetFiles } from "@assay/host/ruleset-files";
import { loadRuleset, loadRulesetFolder, RulesetError, type RulesetFault, type RulesetFolder } from "@assay/rules";
import type { Ruleset } from "@assay/rules";
import { CommandError, EXIT, type World } from "./report.ts";

/** Rulesets with what is to be said of them. Where an error stands, what it stands in did not load. */
export interface Loaded {
  readonly rulesets: readonly Ruleset[];
  /** Errors and warnings. */
  readonly faults: readonly RulesetFault[];
}

/** The folder to work on: `--rulesets`, else `ASSAY_RULESETS`, else `./rulesets`. */
export function folderOf(options: { readonly rulesets?: string }, { env }: World): string {
  return options.rulesets ?? (env["ASSAY_RULESETS"] || "rulesets");
}

/** Loads a folder. Throws a RulesetError, or a CommandError when it cannot be read. */
export async function readFolder(folder: string, { now }: World): Promise<RulesetFolder> {
  return loadRulesetFolder(await readFiles(folder), { folder, now });
}

/**
 * Loads what paths name: a folder whole, and a ruleset's file with what it includes. A file that is no ruleset, such as
 * a list or the routes, is loaded with its whole folder. Throws a CommandError for a path that cannot be read.
 */
export async function loadPaths(paths: readonly string[], folder: string, world: World): Promise<Loaded> {
  const loaded: Loaded[] = [];
  for (const path of paths.length === 0 ? [folder] : paths) loaded.push(await loadPath(path, folder, world));
  return { rulesets: loaded.flatMap(({ rulesets }) => rulesets), faults: loaded.flatMap(({ faults }) => faults) };
}

async function loadPath(path: string, folder: string, { now }: World): Promise<Loaded> {
  if ((await statOf(path)).isDirectory()) return await loadWhole(path, now);
  if (!/\.(?:ya?ml|txt)$/.test(path)) {
    throw new CommandError(EXIT.usage, `${path} is no file of rulesets: those end with .yaml, .yml or .txt.`);
  }
  const home = relativeTo(folder, path) === undefined ? dirname(path) : folder;
  const name = relativeTo(home, path) ?? path;
  if (name.includes("/") || !/^[^_.].*\.ya?ml$/.test(name)) return await loadWhole(home, now);
  const files = await readFiles(home);
  const text = files.get(name);
  if (text === undefined) throw new CommandError(EXIT.usage, `${path} is not among the files of ${home}.`);
  return faultsOf(() => {
    const ruleset = loadRuleset(text, { file: join(home, name), now, files });
    return { rulesets: [ruleset], faults: ruleset.warnings };
  });
}

async function loadWhole(folder: string, now: number): Promise<Loaded> {
  const files = await readFiles(folder);
  return faultsOf(() => {
    const { all, warnings } = loadRulesetFolder(files, { folder, now });
    return { rulesets: all, faults: warnings };
  });
}

function faultsOf(load: () => Loaded): Loaded {
  try {
    return load();
  } catch (error) {
    if (error instanceof RulesetError) return { rulesets: [], faults: error.faults };
    throw error;
  }
}

async function readFiles(folder: string): Promise<Map<string, string>> {
  try {
    return await readRulesetFiles(folder);
  } catch (error) {
    throw unavailable(error);
  }
}

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `${path} cannot be read: ${why}. Name a folder by --rulesets or ASSAY_RULESETS, or the files.`;
    throw new CommandError(EXIT.unavailable, message, { cause: error });
  }
}

function unavailable(error: unknown): CommandError {
  return new CommandError(EXIT.unavailable, error instanceof Error ? error.message : String(error), { cause: error });
}

/** The path of a file as its folder knows it, or undefined when it is not in there. */
function relativeTo(folder: string, path: string): string | undefined {
  const name = relative(folder, path).split(sep);
  return name[0] === ".." || name[0] === "" ? undefined : name.join("/");
}
