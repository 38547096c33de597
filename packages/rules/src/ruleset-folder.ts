import { Faults, RulesetError, type RulesetFault } from "./ruleset/fault.ts";
import { loadRuleset, type Ruleset } from "./ruleset.ts";

/** The rulesets of one folder, loaded together. Immutable. */
export interface RulesetFolder {
  /** 16 hexadecimal digits that stand for every file's bytes. */
  readonly digest: string;
  /** The ruleset named `default`: used where nobody names another. */
  readonly default: Ruleset;
  readonly all: readonly Ruleset[];
  /** The ruleset of that name, or undefined. */
  named(name: string): Ruleset | undefined;
  /** The ruleset that `_routes.yaml` gives a flow: its own line, else `*`, else the default. */
  forFlow(flow: string | undefined): Ruleset;
  /** The ruleset judged beside this one, when it names a candidate. */
  candidateOf(ruleset: Ruleset): Ruleset | undefined;
  /** Flows that a ruleset or a route names, sorted. */
  readonly flows: readonly string[];
  /** What loads but deserves a look, of all files. */
  readonly warnings: readonly RulesetFault[];
}

/**
 * Loads a folder from its files: texts by path relative to the folder, with `/`. `folder` is what faults call it, `now`
 * (unix ms) what `review_by` is compared with. Throws one RulesetError with every fault of every file.
 */
export function loadRulesetFolder(
  files: ReadonlyMap<string, string>,
  options: { folder: string; now: number },
): RulesetFolder {
  throw new Error(
    `${options.folder}: ${files.size} files cannot be loaded yet. ${RulesetError.name} ${Faults.name} ${loadRuleset.name}`,
  );
}
