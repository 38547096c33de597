import type { UndecidedCode } from "@assay/protocol";
import { type Expression, partsOf } from "./condition/expression.ts";
import { createJudge } from "./judge/decide.ts";
import type { Decision } from "./judge/decision.ts";
import { createCounting } from "./judge/count.ts";
import type { Counting } from "./judge/counting.ts";
import { explainRules } from "./judge/explain.ts";
import type { RuleExplanation } from "./judge/explanation.ts";
import { type RulesetTestResult, runTests } from "./judge/run-tests.ts";
import { digestOf } from "./ruleset/digest.ts";
import type { FactDeclaration } from "./ruleset/facts.ts";
import { type FaultList, Faults, type RulesetFault } from "./ruleset/fault.ts";
import { flowsIn } from "./ruleset/flows.ts";
import { FolderFiles } from "./ruleset/folder-files.ts";
import type { Input } from "./condition/input.ts";
import { type RuleSummary, summaryOf } from "./ruleset/rule.ts";
import { readContent, type RulesetContent } from "./ruleset/ruleset-content.ts";
import type { Settings } from "./ruleset/settings.ts";
import { signalsOf } from "./ruleset/signals.ts";
import { finishSteps, type Steps } from "./steps.ts";

/** A loaded ruleset. Immutable; load the text again to change it. */
export interface Ruleset {
  readonly name: string;
  /** 16 hexadecimal digits that stand for the content, settings included; comments and spacing are no part of it. */
  readonly digest: string;
  /** The version of the decision's meaning. */
  readonly engine: string;
  readonly mode: "enforce" | "observe";
  readonly settings: Settings;
  /** In the order of the file. */
  readonly ruleIds: readonly string[];
  /** What each rule says of itself, in the order of the file. */
  readonly rules: readonly RuleSummary[];
  /** The facts it declares. */
  readonly facts: readonly FactDeclaration[];
  /** Signals of the event that its rules and counters need, by path, with the names of those that need each. */
  readonly signals: ReadonlyMap<string, readonly string[]>;
  /** Flows the ruleset names, sorted: those with an age of their own, and those a condition compares with. */
  readonly flows: readonly string[];
  /** The greatest of all its `max_event_age` values, in ms. */
  readonly largestMaxEventAgeMs: number;
  /** Oldest event that is not stale in a flow, in ms. */
  maxEventAgeMs(flow: string | undefined): number;
  /** The file it was loaded from, as faults call it. */
  readonly origin: string;
  /** All that it was loaded from, by path in its folder, its own file first: these load it again. */
  readonly files: ReadonlyMap<string, string>;
  /** Name of the ruleset that is judged beside this one. */
  readonly candidate?: string;
  /** What loads but deserves a look. */
  readonly warnings: readonly RulesetFault[];
  /** In the order of the file. */
  readonly counters: readonly CounterSummary[];
  /** Paths of the fields of an event that it reads. All others change nothing of what it says. */
  readonly eventFields: ReadonlySet<string>;
  /** What its counters ask of shared memory for an input. `checks` of uses (`reused`, …) are not known to them. */
  readonly counting: Counting;
  /** Judges an input. Pure, deterministic, never throws. */
  decide(input: Input): Decision;
  /** The decision for what could not be judged: score 0, no reasons, the action the ruleset gives this code. */
  undecided(code: UndecidedCode): Decision;
  /** How every rule comes out, off ones included, clause by clause with values. For people; not fast. */
  explain(input: Input): RuleExplanation[];
  /** Runs the tests of its own file. Empty when it has none. */
  runTests(): RulesetTestResult[];
}

/** What a counter is known by. */
interface CounterSummary {
  readonly name: string;
  /** Stands for what it counts, as `CounterUse.definition`. */
  readonly definition: string;
  /** Whether what it counts hangs on a list, whose entries are no part of the definition. */
  readonly readsLists: boolean;
}

const ENGINE = "assay-rules/1";

/** How a single ruleset is loaded. */
interface LoadOptions {
  /** What faults call the text. Parts and lists are called by paths beside it. */
  readonly file: string;
  /** Unix ms that dates are compared with for warnings; without it none is told of a date. */
  readonly now?: number;
  /** The other files of its folder by path relative to it: the parts it includes, and its lists. */
  readonly files?: ReadonlyMap<string, string>;
}

/**
 * Loads a ruleset from its YAML text. Throws a RulesetError with every fault it can find. Whether its candidate exists
 * is only known to `loadRulesetFolder`.
 */
export function loadRuleset(text: string, options: LoadOptions): Ruleset {
  const { file, now, files = new Map<string, string>() } = options;
  const folder = new FolderFiles(file.slice(0, file.lastIndexOf("/") + 1), files);
  const draft = finishSteps(readDraft(text, { file, files: folder, nowMs: now }));
  draft.faults.throwIfAny();
  return finish(draft);
}

/** A ruleset that was read and may have faults. */
export interface RulesetDraft {
  /** The faults of all its files, and those of its own. */
  readonly faults: Faults;
  readonly own: FaultList;
  /** Undefined when its text is not one plain YAML document. */
  readonly content: RulesetContent | undefined;
  /** As `Ruleset.files`. */
  readonly files: ReadonlyMap<string, string>;
}

/** Reads a ruleset without a throw, so that all faults of a folder can be told together. */
export function* readDraft(
  text: string,
  { file, files, nowMs }: { file: string; files: FolderFiles; nowMs: number | undefined },
): Steps<RulesetDraft> {
  const faults = new Faults();
  const own = faults.of(file, text);
  files.taken();
  const content = yield* readContent(own, { files, faults, nowMs });
  const path = file.slice(file.lastIndexOf("/") + 1);
  return { faults, own, content, files: new Map([[path, text], ...files.taken()]) };
}

/** Makes the ruleset of a draft that has no errors. */
export function finish({ content, faults, own, files }: RulesetDraft): Ruleset {
  if (content === undefined) throw new Error("A ruleset without content has a fault.");
  const { settings, facts, candidate } = content;
  const ages = settings.maxEventAgeMsByFlow;
  const judge = createJudge(content);
  const counting = createCounting(content);
  return {
    name: content.name,
    digest: digestOf(content, ENGINE),
    engine: ENGINE,
    mode: content.mode,
    settings,
    ruleIds: content.rules.map(({ id }) => id),
    rules: content.rules.map(summaryOf),
    facts,
    signals: signalsOf(content),
    flows: flowsOf(content),
    largestMaxEventAgeMs: Math.max(settings.maxEventAgeMs, ...ages.values()),
    maxEventAgeMs: (flow) => (flow === undefined ? undefined : ages.get(flow)) ?? settings.maxEventAgeMs,
    origin: own.file,
    files,
    ...(candidate === undefined ? {} : { candidate: candidate.text }),
    warnings: faults.sorted("warning"),
    counters: content.counters.map(({ name, definition, where }) => ({
      name,
      definition,
      readsLists: where !== undefined && looksUp(where),
    })),
    eventFields: new Set([...judge.eventFields, ...counting.eventFields]),
    counting: counting.counting,
    decide: judge.decide,
    undecided: judge.undecided,
    explain: (input) => explainRules(content, input),
    runTests: () => runTests(content.tests, (input) => judge.decide(input)),
  };
}

function flowsOf({ settings, rules, counters }: RulesetContent): string[] {
  const conditions = [...rules.map(({ condition }) => condition), ...counters.flatMap(({ where }) => where ?? [])];
  return [...new Set([...settings.maxEventAgeMsByFlow.keys(), ...conditions.flatMap(flowsIn)])].toSorted();
}

function looksUp(expression: Expression): boolean {
  return expression.kind === "listed" || partsOf(expression).some(looksUp);
}
