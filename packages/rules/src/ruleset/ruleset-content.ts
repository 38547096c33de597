import { createCatalogue, type Field } from "../condition/catalogue.ts";
import { createCelEnvironment } from "../condition/cel-environment.ts";
import type { Steps } from "../steps.ts";
import { type Counter, counterNames, readCounters } from "./counters.ts";
import { parseYaml } from "./document.ts";
import { readExpose } from "./expose.ts";
import { type FactDeclaration, fieldOfFact, readFacts } from "./facts.ts";
import type { FaultList, Faults } from "./fault.ts";
import type { FolderFiles } from "./folder-files.ts";
import { type Integrity, readIntegrity } from "./integrity.ts";
import { type ListDeclaration, readLists } from "./lists.ts";
import { entriesWithin, type Part, readIncludes, RULESET_KEYS } from "./part.ts";
import type { Rule } from "./rule.ts";
import { readRules } from "./rules.ts";
import { readSettings, type Settings } from "./settings.ts";
import { readTests, type RulesetTest } from "./tests.ts";
import { readThresholds, type Threshold } from "./thresholds.ts";
import { readUndecidedActions, type UndecidedActions } from "./undecided-actions.ts";
import { type Entry, type PlacedText, readChoice, readEntries, readText, refuseUnknown } from "./yaml-entries.ts";

/** All that a ruleset's text, its parts and its lists say, defaults filled in. */
export interface RulesetContent {
  readonly name: string;
  readonly nameAt: number;
  readonly mode: (typeof MODES)[number];
  /** The ruleset judged beside this one, and where it is named. */
  readonly candidate?: PlacedText;
  readonly settings: Settings;
  readonly facts: readonly FactDeclaration[];
  readonly lists: readonly ListDeclaration[];
  readonly counters: readonly Counter[];
  readonly thresholds: readonly Threshold[];
  readonly integrity: Integrity;
  readonly undecided: UndecidedActions;
  readonly expose: readonly Field[];
  readonly rules: readonly Rule[];
  readonly tests: readonly RulesetTest[];
}

/** What reading a ruleset needs besides its text. */
export interface ContentScope {
  readonly files: FolderFiles;
  readonly faults: Faults;
  readonly nowMs: number | undefined;
}

export const MODES = ["enforce", "observe"] as const;
export const NAME = /^[a-z0-9_-]{1,64}$/;
const NAME_HINT = "1 to 64 characters of a-z, 0-9, _ and -";

/** Reads a ruleset's text. Faults go to its list; what is returned counts only when there are none. */
export function* readContent(own: FaultList, scope: ContentScope): Steps<RulesetContent | undefined> {
  const root = parseYaml(own);
  if (root === undefined) {
    if (own.isEmpty) own.add(0, "The ruleset is empty. It begins with: ruleset: <name>");
    return undefined;
  }
  const entries = readEntries(root, 0, "a ruleset", own);
  refuseUnknown(entries, "a ruleset", RULESET_KEYS, own);
  const named = (name: string) => entries.find((entry) => entry.name === name);
  const parts: Part[] = [...readIncludes(named("include"), own, scope), { faults: own, entries }];
  const facts = readFacts(parts);
  const lists = yield* readLists(parts, scope);
  const declared = entriesWithin(parts, "counters");
  const names = { facts: facts.map(fieldOfFact), lists, counters: counterNames(declared) };
  const catalogue = createCatalogue(names);
  const counting = createCatalogue({ ...names, outcome: true });
  // The widest one serves both, as names are resolved by the catalogue.
  const environment = createCelEnvironment(counting);
  const counters = readCounters(declared, { catalogue: counting, environment, lists });
  const { rules, isWhole } = yield* readRules(parts, { catalogue, environment, nowMs: scope.nowMs });
  const mode = named("mode");
  const nameEntry = named("ruleset");
  const name = readName(nameEntry, own);
  if (nameEntry === undefined) own.add(0, "A ruleset needs a name: ruleset: <name>");
  const thresholds = readThresholds(named("thresholds"), isWhole ? rules : undefined, own);
  if (isWhole) warnOfNoEffect(rules, thresholds, nameEntry?.valueAt ?? 0, own);
  const candidate = readCandidate(named("candidate"), name, own);
  return {
    name,
    nameAt: nameEntry?.valueAt ?? 0,
    mode: (mode && readChoice(mode, MODES, own)) ?? "enforce",
    ...(candidate === undefined ? {} : { candidate }),
    settings: readSettings(named("settings"), own),
    facts,
    lists,
    counters,
    thresholds,
    integrity: readIntegrity(named("integrity"), own),
    undecided: readUndecidedActions(named("undecided"), own),
    expose: readExpose(named("expose"), catalogue, own),
    rules,
    tests: readTests(parts, { catalogue, ruleIds: isWhole ? rules.map(({ id }) => id) : undefined }),
  };
}

// A ruleset may be filled later, and a backend may read the score itself, so these load.
function warnOfNoEffect(rules: readonly Rule[], thresholds: readonly Threshold[], at: number, faults: FaultList): void {
  if (rules.length === 0) faults.warn(at, "This ruleset has no rules, so it allows what integrity does not stop.");
  const scored = rules.find(({ score = 0, action }) => score > 0 && action === undefined);
  if (scored === undefined || thresholds.length > 0) return;
  faults.warn(
    at,
    `The score of ${scored.id} changes no action, as there are no thresholds. Write some, as in thresholds: { challenge: 30 }`,
  );
}

function readName(entry: Entry | undefined, faults: FaultList): string {
  return (entry && readText(entry, NAME, NAME_HINT, faults)) ?? "";
}

function readCandidate(entry: Entry | undefined, name: string, faults: FaultList): PlacedText | undefined {
  if (entry === undefined) return undefined;
  const candidate = readText(entry, NAME, `the name of another ruleset, ${NAME_HINT}`, faults);
  if (candidate === undefined) return undefined;
  if (candidate === name) faults.add(entry.valueAt, "A ruleset cannot be its own candidate. Name another one.");
  return { text: candidate, at: entry.valueAt };
}
