import type { Action, UndecidedCode } from "@assay/protocol";
import { createJudge } from "./judge/decide.ts";
import type { Decision } from "./judge/decision.ts";
import { type Expression, partsOf } from "./condition/expression.ts";
import type { Counting } from "./judge/counting.ts";
import type { RuleExplanation } from "./judge/explanation.ts";
import { Faults, type RulesetFault } from "./ruleset/fault.ts";
import type { Input } from "./condition/input.ts";
import { digestOf, readContent, type RulesetContent } from "./ruleset/ruleset-content.ts";
import type { Settings } from "./ruleset/settings.ts";

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
  /** Flows the ruleset names, sorted: those with an age of their own, and those a condition compares with. */
  readonly flows: readonly string[];
  /** The greatest of all its `max_event_age` values, in ms. */
  readonly largestMaxEventAgeMs: number;
  /** Oldest event that is not stale in a flow, in ms. */
  maxEventAgeMs(flow: string | undefined): number;
  /** The file it was loaded from, as faults call it. */
  readonly origin: string;
  /** Name of the ruleset that is judged beside this one. */
  readonly candidate?: string;
  /** What loads but deserves a look. */
  readonly warnings: readonly RulesetFault[];
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

/** A rule without its condition. */
export interface RuleSummary {
  readonly id: string;
  readonly mode: "live" | "shadow" | "off";
  readonly score?: number;
  readonly action?: Action;
  readonly message?: string;
  readonly whenUnknown: "skip" | Action;
  /** Share of visitors it is live for, in percent; all of them when absent. */
  readonly rolloutPercent?: number;
  readonly owner?: string;
  /** A date, `2027-03-01`. */
  readonly reviewBy?: string;
  readonly tags: readonly string[];
  readonly file: string;
  readonly line: number;
}

/** A fact that backends send. */
export interface FactDeclaration {
  readonly name: string;
  readonly type: "string" | "number" | "boolean" | "list";
  /** The only texts it may be. */
  readonly values?: readonly string[];
}

/** How one test of a ruleset came out. */
export interface RulesetTestResult {
  readonly name: string;
  readonly passed: boolean;
  /** What was expected and what came, one line each; empty when it passed. */
  readonly differences: readonly string[];
  readonly line: number;
}

const ENGINE = "assay-rules/1";

/**
 * Loads a ruleset from its YAML text. `file` is what faults call the text. Throws a RulesetError with every fault it
 * can find.
 */
export function loadRuleset(text: string, options: { file: string }): Ruleset {
  const faults = new Faults();
  const content = readContent(text, faults.of(options.file, text));
  faults.throwIfAny();
  if (content === undefined) throw new Error("A ruleset without content has a fault.");
  const { settings } = content;
  const ages = settings.maxEventAgeMsByFlow;
  const judge = createJudge(content);
  return {
    name: content.name,
    digest: digestOf(content, ENGINE),
    engine: ENGINE,
    mode: content.mode,
    settings,
    ruleIds: content.rules.map(({ id }) => id),
    rules: [],
    facts: [],
    flows: flowsOf(content),
    largestMaxEventAgeMs: Math.max(settings.maxEventAgeMs, ...ages.values()),
    maxEventAgeMs: (flow) => (flow === undefined ? undefined : ages.get(flow)) ?? settings.maxEventAgeMs,
    decide: (input) => judge.decide(input),
    undecided: (code) => judge.undecided(code),
    origin: options.file,
    warnings: [],
    counting: () => [],
    explain: () => [],
    runTests: () => [],
  };
}

function flowsOf({ settings, rules }: RulesetContent): string[] {
  const flows = new Set(settings.maxEventAgeMsByFlow.keys());
  for (const { condition } of rules) addFlows(condition, flows);
  return [...flows].toSorted();
}

function addFlows(expression: Expression, flows: Set<string>): void {
  const compared = comparedWith(expression);
  if (compared.some((side) => side.kind === "field" && side.field.path === "context.flow")) {
    for (const side of compared) {
      if (side.kind === "literal" && typeof side.value === "string") flows.add(side.value);
    }
  }
  for (const part of partsOf(expression)) addFlows(part, flows);
}

function comparedWith(expression: Expression): readonly Expression[] {
  if (expression.kind === "compare") return expression.sides;
  return expression.kind === "in" ? [expression.item, ...expression.list] : [];
}
