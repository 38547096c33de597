import { createHash } from "node:crypto";
import { closestName } from "@assay/protocol";
import { type FaultList, Faults, type RulesetFault } from "./ruleset/fault.ts";
import { FolderFiles } from "./ruleset/folder-files.ts";
import { Names } from "./ruleset/names.ts";
import { DEFAULT_RULESET, readRoutes, type Routes } from "./ruleset/routes.ts";
import { warnOfUnaskedFlows } from "./ruleset/unasked-flows.ts";
import type { PlacedText } from "./ruleset/yaml-entries.ts";
import { finish, readDraft, type Ruleset, type RulesetDraft } from "./ruleset.ts";
import { finishSteps, type Steps } from "./steps.ts";

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
  /**
   * The definitions of counters that count without this candidate: those of all other rulesets, and its own too where a
   * route lets it decide. As a candidate it may only read them.
   */
  countedWithout(candidate: Ruleset): ReadonlySet<string>;
  /** Flows that a ruleset or a route names, sorted. */
  readonly flows: readonly string[];
  /** What loads but deserves a look, of all files. */
  readonly warnings: readonly RulesetFault[];
}

interface FolderOptions {
  /** What faults call the folder. */
  readonly folder: string;
  /** Unix ms that dates are compared with for warnings. */
  readonly now: number;
}

const RULESET_PATH = /^[^_/][^/]*\.ya?ml$/;

/**
 * Loads a folder from its files: texts by path relative to the folder, with `/`. `folder` is what faults call it, `now`
 * (unix ms) what dates are compared with for warnings. Throws one RulesetError with every error of every file.
 */
export function loadRulesetFolder(texts: ReadonlyMap<string, string>, options: FolderOptions): RulesetFolder {
  return finishSteps(loadRulesetFolderInSteps(texts, options));
}

/**
 * The same in steps, a ruleset, a file or a thousand entries of a list each, for a process that has other things to do
 * in between: `next` until it is done. Throws as `loadRulesetFolder` does.
 */
export function* loadRulesetFolderInSteps(
  texts: ReadonlyMap<string, string>,
  options: FolderOptions,
): Steps<RulesetFolder> {
  const folder = options.folder.replace(/\/+$/, "");
  const files = new FolderFiles(`${folder}/`, texts);
  const drafts: RulesetDraft[] = [];
  for (const path of [...texts.keys()].toSorted().filter((name) => RULESET_PATH.test(name))) {
    drafts.push(yield* readDraft(files.use(path) ?? "", { file: files.nameOf(path), files, nowMs: options.now }));
    yield;
  }
  const faults = new Faults();
  const routes = readRoutes(files, faults);
  checkNames(drafts, routes, faults.of(folder));
  warnOfUnaskedFlows(
    drafts.flatMap(({ content }) => content ?? []),
    routes,
  );
  for (const path of files.unused()) faults.of(files.nameOf(path)).warn(0, describeUnused(path));
  for (const draft of drafts) faults.join(draft.faults);
  faults.throwIfAny();
  const loaded: Ruleset[] = [];
  for (const draft of drafts) {
    loaded.push(finish(draft));
    yield;
  }
  return folderOf(loaded, {
    routes,
    digest: yield* digestOf(texts),
    warnings: faults.sorted("warning"),
  });
}

function* digestOf(texts: ReadonlyMap<string, string>): Steps<string> {
  const hash = createHash("sha256");
  for (const [path, text] of [...texts].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${path}\0${text.length}\0`).update(text);
    yield;
  }
  return hash.digest("hex").slice(0, 16);
}

function folderOf(
  all: readonly Ruleset[],
  { routes, ...rest }: { routes: Routes } & Pick<RulesetFolder, "digest" | "warnings">,
): RulesetFolder {
  const byName = new Map(all.map((ruleset) => [ruleset.name, ruleset]));
  const known = (name: string) => {
    const ruleset = byName.get(name);
    if (ruleset === undefined) throw new Error(`The name ${name} was checked when the folder was read.`);
    return ruleset;
  };
  const flows = new Set([...routes.flows, ...all.flatMap((ruleset) => ruleset.flows)]);
  const routed = new Set([undefined, ...routes.flows].map((flow) => routes.rulesetOf(flow)));
  const countedWithout = (candidate: Ruleset) =>
    new Set(
      all
        .filter((one) => one !== candidate || routed.has(one.name))
        .flatMap(({ counters }) => counters.map(({ definition }) => definition)),
    );
  const counted = new Map(all.map((ruleset) => [ruleset, countedWithout(ruleset)]));
  return {
    ...rest,
    default: known(DEFAULT_RULESET),
    all,
    named: (name) => byName.get(name),
    forFlow: (flow) => known(routes.rulesetOf(flow)),
    candidateOf: ({ candidate }) => (candidate === undefined ? undefined : byName.get(candidate)),
    countedWithout: (candidate) => counted.get(candidate) ?? new Set(),
    flows: [...flows].toSorted(),
  };
}

function checkNames(drafts: readonly RulesetDraft[], routes: Routes, whole: FaultList): void {
  if (drafts.length === 0) whole.add(0, "This folder holds no ruleset. A ruleset is a .yaml file at its top.");
  const taken = new Names("ruleset");
  const names: string[] = [];
  for (const { content, own } of drafts) {
    // Where a name cannot be read, whatever asks for it would only repeat that.
    if (content === undefined || content.name === "") return;
    taken.take(content.name, content.nameAt, own);
    names.push(content.name);
  }
  if (names.length > 0 && !names.includes(DEFAULT_RULESET)) {
    whole.add(0, "No ruleset is called default, which decides where nobody names another. Name one so.");
  }
  const check = ({ text, at }: PlacedText, faults: FaultList) => {
    if (!names.includes(text)) faults.add(at, `There is no ruleset ${text}.${suggestName(text, names)}`);
  };
  for (const { content, own } of drafts) {
    if (content?.candidate !== undefined) check(content.candidate, own);
  }
  for (const name of routes.targets) check(name, routes.faults);
}

function suggestName(name: string, names: readonly string[]): string {
  const meant = closestName(name, names);
  return meant === undefined ? ` There are: ${names.join(", ")}.` : ` Did you mean ${meant}?`;
}

function describeUnused(path: string): string {
  if (path.endsWith(".txt")) return "No ruleset declares a list with this file, so it is not read.";
  if (path.includes("/")) return "A ruleset or part stands at the top of the folder, so this file is not read.";
  return "No ruleset includes this part, so it is not read.";
}
