import { ACTIONS, type Action } from "@assay/protocol";
import type { Field } from "../condition/catalogue.ts";
import { compile } from "../condition/compile.ts";
import type { Slots } from "../condition/slot-value.ts";
import { RECEIVED_AT, type SlotTable } from "../condition/slots.ts";
import type { Term } from "../condition/term.ts";
import type { Rule, RuleMode } from "../ruleset/rule.ts";
import { isRolledOut } from "./rollout.ts";

/** A rule as the judge needs it. */
export interface CompiledRule {
  readonly id: string;
  readonly condition: Term;
  /** The condition's own, one look-up nearer. */
  readonly evaluate: Term["evaluate"];
  /** A value of one place by which the condition is false, without a call; no place ever holds null. */
  readonly falsePlace: number;
  readonly falseValue: boolean | null;
  readonly score: number | undefined;
  readonly action: Action | undefined;
  readonly message: string | undefined;
  readonly whenUnknown: Action | undefined;
  readonly mode: Exclude<RuleMode, "off">;
  /** Of a live rule with a share. */
  readonly rollout: Rollout | undefined;
}

/** Whether the visitor is in a rule's share, and where that is kept. */
export interface Rollout {
  readonly place: number;
  readonly isReached: (slots: Slots) => boolean;
}

const VISITOR_ID: Field = {
  path: "identification.visitor_id",
  root: "event",
  keys: ["identification", "visitor_id"],
  type: "string",
};

/** Compiles all rules but those that are off, most severe first. */
export function compileRules(rules: readonly Rule[], slots: SlotTable): CompiledRule[] {
  return rules
    .toSorted(bySeverity)
    .flatMap((rule) => (rule.mode === "off" ? [] : [compileRule(rule, rule.mode, slots)]));
}

function compileRule(rule: Rule, mode: CompiledRule["mode"], slots: SlotTable): CompiledRule {
  const { id, score, action, message, whenUnknown, rolloutPercent } = rule;
  const condition = compile(rule.condition, slots);
  return {
    id,
    condition,
    evaluate: condition.evaluate,
    falsePlace: condition.falseBy?.place ?? RECEIVED_AT,
    falseValue: condition.falseBy?.falseValue ?? null,
    score,
    action,
    message,
    whenUnknown: whenUnknown === "skip" ? undefined : whenUnknown,
    mode,
    rollout: mode === "live" && rolloutPercent !== undefined ? compileRollout(id, rolloutPercent, slots) : undefined,
  };
}

/** The share of a rule. Nobody is in it without a visitor id. */
export function compileRollout(ruleId: string, percent: number, slots: SlotTable): Rollout {
  const index = slots.indexOf(VISITOR_ID);
  return {
    place: slots.derived(`rollout of ${ruleId}`),
    isReached: (values) => {
      const visitorId = values[index];
      return typeof visitorId === "string" && isRolledOut(ruleId, visitorId, percent);
    },
  };
}

/** The paths whose absence makes a condition unknown. */
export function missingOf(condition: Term, slots: Slots): string[] {
  if (condition.field !== undefined) return [condition.field.path];
  const missing = new MissingPaths();
  condition.missing(slots, missing);
  return missing.paths;
}

// There are few, so that looking through them is faster than a set.
class MissingPaths {
  readonly paths: string[] = [];

  add(path: string): void {
    if (!this.paths.includes(path)) this.paths.push(path);
  }
}

function bySeverity(a: Rule, b: Rule): number {
  const severity = ({ action }: Rule) => (action === undefined ? 0 : ACTIONS.indexOf(action) + 1);
  return severity(b) - severity(a) || (b.score ?? 0) - (a.score ?? 0) || (a.id < b.id ? -1 : 1);
}
