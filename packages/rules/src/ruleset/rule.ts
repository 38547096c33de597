import { ACTIONS, type Action } from "@assay/protocol";
import { isScalar, type ParsedNode } from "yaml";
import { readCondition } from "../condition/condition.ts";
import { canonicalExpression, type Expression } from "../condition/expression.ts";
import { bracketed, type ConditionEntryScope, conditionText, readConditionEntry } from "./condition-entry.ts";
import type { FaultList } from "./fault.ts";
import { readOwner, readReviewBy, readRollout, readTags } from "./rule-fields.ts";
import { type Entry, readChoice, readEntries, readNumber, readText, refuseUnknown } from "./yaml-entries.ts";

/** A rule without its condition. */
export interface RuleSummary {
  readonly id: string;
  /** Live rules decide; what rules in shadow would do is only told; rules that are off are not judged. */
  readonly mode: RuleMode;
  /** −100 to 100, added to the decision's score by a hit. */
  readonly score?: number;
  readonly action?: Action;
  readonly message?: string;
  /** What an unknown condition does: nothing, or an action other than allow. */
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

export type RuleMode = "live" | "shadow" | "off";

/** One rule as it was loaded. */
export interface Rule extends RuleSummary {
  readonly when: WrittenCondition;
  readonly except?: WrittenCondition;
  /** What is judged: `when && !(except)`. */
  readonly condition: Expression;
  /** Where its condition stands, for warnings that need other files. */
  readonly place: { readonly faults: FaultList; readonly at: number };
}

/** A condition and its text, which the offsets in it are about. */
export interface WrittenCondition {
  readonly text: string;
  readonly expression: Expression;
}

/** What reading the rules of one text needs. Without a time, no rule is overdue. */
export interface RuleScope extends ConditionEntryScope {
  readonly nowMs?: number | undefined;
}

export const RULE_MODES = ["live", "shadow", "off"] as const;
export const WHEN_UNKNOWN = ["skip", "challenge", "review", "block"] as const;
export const RULE_KEYS = [
  "id",
  "when",
  "except",
  "score",
  "action",
  "message",
  "when_unknown",
  "mode",
  "rollout",
  "owner",
  "review_by",
  "tags",
] as const;
export const RULE_ID = /^[a-z0-9_-]{1,64}$/;

/** Reads one item of `rules:`. Undefined, with faults, when it cannot be used. */
export function readRule(node: ParsedNode, scope: RuleScope): Rule | undefined {
  const { faults } = scope;
  const at = node.range[0];
  const entries = readEntries(node, at, "a rule", faults);
  refuseUnknown(entries, "a rule", RULE_KEYS, faults);
  const read = <T>(name: (typeof RULE_KEYS)[number], reader: (entry: Entry) => T | undefined) => {
    const entry = entries.find((one) => one.name === name);
    return entry && reader(entry);
  };
  const id = read("id", (entry) => readText(entry, RULE_ID, "1 to 64 characters of a-z, 0-9, _ and -", faults));
  const when = read("when", (entry) => readWritten(entry, scope));
  const except = read("except", (entry) => readWritten(entry, scope));
  read("except", (entry) => checkTogether(entry, when, except, scope));
  const score = read("score", (entry) => readNumber(entry, -100, 100, faults));
  const action = read("action", (entry) => readChoice(entry, ACTIONS, faults));
  const message = read("message", (entry) =>
    readText(entry, /^.{1,256}$/, "one line of at most 256 characters", faults),
  );
  const rolloutPercent = read("rollout", (entry) => readRollout(entry, faults));
  const owner = read("owner", (entry) => readOwner(entry, faults));
  const reviewBy = read("review_by", (entry) => readReviewBy(entry, scope));
  const rest = {
    whenUnknown: read("when_unknown", (entry) => readChoice(entry, WHEN_UNKNOWN, faults)) ?? "skip",
    mode: read("mode", (entry) => readChoice(entry, RULE_MODES, faults)) ?? "live",
    tags: read("tags", (entry) => readTags(entry, faults)) ?? [],
    file: faults.file,
    line: faults.positionOf(at).line,
  };
  const has = (name: string) => entries.some((entry) => entry.name === name);
  if (!has("id")) faults.add(at, "A rule needs an id.");
  if (!has("when")) faults.add(at, "A rule needs a condition: when.");
  if (!has("score") && !has("action")) faults.add(at, "A rule needs a score or an action, or both.");
  if (id === undefined || when === undefined) return undefined;
  return {
    id,
    when,
    condition: judged(when, except),
    place: { faults, at: entries.find(({ name }) => name === "when")?.valueAt ?? at },
    ...rest,
    ...(except === undefined ? {} : { except }),
    ...(score === undefined ? {} : { score }),
    ...(action === undefined ? {} : { action }),
    ...(message === undefined ? {} : { message }),
    ...(rolloutPercent === undefined ? {} : { rolloutPercent }),
    ...(owner === undefined ? {} : { owner }),
    ...(reviewBy === undefined ? {} : { reviewBy }),
  };
}

/** What a rule says of itself. */
export function summaryOf(rule: Rule): RuleSummary {
  const { when: _, except: __, condition: ___, place: ____, ...summary } = rule;
  return summary;
}

/** What of a rule can change a decision, equal for equal meaning. */
export function canonicalRule(rule: Rule): unknown {
  const { id, condition, score, action, message, whenUnknown, mode, rolloutPercent } = rule;
  const judgedBy = canonicalExpression(condition);
  return { id, condition: judgedBy, score, action, message, whenUnknown, mode, rolloutPercent };
}

function readWritten(entry: Entry, scope: ConditionEntryScope): WrittenCondition | undefined {
  const expression = readConditionEntry(entry, scope);
  return expression && isScalar(entry.value) ? { text: conditionText(entry.value), expression } : undefined;
}

// An exception that takes back every hit, or is never known where the condition is, leaves a rule that does nothing.
function checkTogether(
  { valueAt }: Entry,
  when: WrittenCondition | undefined,
  except: WrittenCondition | undefined,
  { catalogue, environment, faults }: ConditionEntryScope,
): void {
  if (when === undefined || except === undefined) return;
  const text = `${bracketed(when.text)} && !${bracketed(except.text)}`;
  readCondition(
    { text, catalogue, fault: (_, message) => faults.add(valueAt, `Beside when: ${message}`) },
    environment,
  );
}

function judged({ expression: when }: WrittenCondition, except: WrittenCondition | undefined): Expression {
  if (except === undefined) return when;
  const { at, end } = except.expression;
  return { kind: "all", operands: [when, { kind: "not", operand: except.expression, at, end }], at: when.at, end };
}
