import { stat } from "node:fs/promises";
import { readRulesetFiles } from "@assay/host/ruleset-files";
import { loadRuleset, loadRulesetFolder, type Ruleset } from "@assay/rules";
import { always, type ChooseRuleset, routed } from "@assay/rules/backtest";
import { basename, dirname, join } from "node:path";
import { closestName } from "@assay/protocol";
import { CommandError, EXIT } from "../report.ts";

/** The texts of one side: plain data, so that every thread can load them. */
export interface SideFiles {
  /** What faults call the folder. */
  readonly folder: string;
  readonly files: ReadonlyMap<string, string>;
  /** The one file of the folder that judges every row. */
  readonly file?: string;
  /** Name of the one ruleset that judges every row. */
  readonly ruleset?: string;
  /** Unix ms that dates are compared with. */
  readonly now: number;
}

/** One side, loaded. */
export interface Side {
  readonly choose: ChooseRuleset;
  readonly rulesets: readonly Ruleset[];
}

/** Reads the files that a path names: a folder, or a ruleset's file with what lies beside it. Throws a CommandError. */
export async function readSide(path: string, options: { ruleset?: string; now: number }): Promise<SideFiles> {
  try {
    if ((await stat(path)).isDirectory()) return { ...options, folder: path, files: await readRulesetFiles(path) };
    const folder = dirname(path);
    return { ...options, folder, files: await readRulesetFiles(folder), file: basename(path) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(EXIT.unavailable, `${path} cannot be read: ${why}`, { cause: error });
  }
}

/** Loads a side. Throws a RulesetError, or a CommandError where it does not hold the ruleset that was asked for. */
export function loadSide({ folder, files, file, ruleset: name, now }: SideFiles): Side {
  if (file !== undefined || name !== undefined) {
    const texts = { folder, files, now };
    const found = file === undefined ? loadNamed(name ?? "", texts) : loadFile(file, texts);
    if (name !== undefined && name !== found.name) throw noRuleset(name, join(folder, file ?? ""), [found.name]);
    return { choose: always(found), rulesets: [found] };
  }
  const whole = loadRulesetFolder(files, { folder, now });
  return { choose: routed(whole), rulesets: whole.all };
}

type Texts = Pick<SideFiles, "folder" | "files" | "now">;

function loadFile(file: string, { folder, files, now }: Texts): Ruleset {
  const text = files.get(file);
  if (text !== undefined && RULESET_FILE.test(file)) return loadRuleset(text, { file: join(folder, file), now, files });
  throw new CommandError(EXIT.usage, `${join(folder, file)} is no ruleset: name a folder, or a .yaml file of one.`);
}

/** One ruleset of a folder. The others are not loaded, which would take far longer. */
function loadNamed(name: string, { folder, files, now }: Texts): Ruleset {
  const named = [...files].flatMap(([file, text]) => {
    const given = RULESET_FILE.test(file) ? /^ruleset: *["']?([\w-]+)/m.exec(text)?.[1] : undefined;
    return given === undefined ? [] : [{ file, given }];
  });
  const [found] = named.filter(({ given }) => given === name);
  if (found !== undefined) return loadFile(found.file, { folder, files, now });
  throw noRuleset(
    name,
    folder,
    named.map(({ given }) => given),
  );
}

/** A ruleset stands at the top of its folder. */
const RULESET_FILE = /^[^_./][^/]*\.ya?ml$/;

function noRuleset(name: string, place: string, known: readonly string[]): CommandError {
  const meant = closestName(name, known);
  const hint = meant === undefined ? `There are: ${known.join(", ")}.` : `Did you mean ${meant}?`;
  return new CommandError(EXIT.usage, `${place} holds no ruleset ${name}. ${hint}`);
}
