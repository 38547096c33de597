import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadRuleset, RulesetError, type Ruleset } from "@assay/rules";

/** The loaded rulesets. */
export interface Rulesets {
  /** The one used where nobody names another, and for what cannot be decided. */
  readonly default: Ruleset;
  /** The ruleset of that name, or undefined. */
  named(name: string): Ruleset | undefined;
  readonly all: readonly Ruleset[];
}

/** A folder of rulesets that cannot be used. The message shows every fault of every file. */
export class RulesetFolderError extends Error {
  override readonly name = "RulesetFolderError";
  readonly code = "rulesets_invalid";
}

/** Loads every `*.yaml` of a folder. Throws one RulesetFolderError with all faults. */
export function loadRulesets(folder: string): Rulesets {
  const faults: string[] = [];
  const byName = new Map<string, Ruleset>();
  for (const file of listFiles(folder)) {
    const path = join(folder, file);
    if (file.startsWith("_")) {
      faults.push(`${path}: routes and shared parts are not in this version. Remove the file.`);
      continue;
    }
    try {
      const ruleset = loadRuleset(readFileSync(path, "utf8"), { file: path });
      if (byName.has(ruleset.name)) faults.push(`${path}: another file has the ruleset ${ruleset.name} already.`);
      byName.set(ruleset.name, ruleset);
    } catch (error) {
      if (!(error instanceof RulesetError)) throw error;
      faults.push(error.message);
    }
  }
  const fallback = byName.get("default");
  if (fallback === undefined && faults.length === 0)
    faults.push(`${folder} has no ruleset named default: add default.yaml.`);
  if (fallback === undefined || faults.length > 0) throw new RulesetFolderError(faults.join("\n\n"));
  return { default: fallback, named: (name) => byName.get(name), all: [...byName.values()] };
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((file) => /\.ya?ml$/.test(file))
      .toSorted();
  } catch (error) {
    throw new RulesetFolderError(`The folder of rulesets cannot be read: ${folder}. Set ASSAY_RULESETS.`, {
      cause: error,
    });
  }
}
