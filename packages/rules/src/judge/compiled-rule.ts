import { ACTIONS, type Action } from "@assay/protocol";
import type { Field } from "../condition/catalogue.ts";
import { compile } from "../condition/compile.ts";
import type { Slots, SlotTable } from "../condition/slots.ts";
import type { Term } from "../condition/term.ts";
import type { Rule } from "../ruleset/rule.ts";
import { isRolledOut } from "./rollout.ts";

/** A rule as the judge needs it. */
export interface CompiledRule {
  readonly id: string;
  readonly condition: Term;
  /** The condition's own, one look-up nearer. */
  readonly evaluate: Term["evaluate"];
  readonly score: number | undefined;
  readonly action: Action | undefined;
  readonly message: string | undefined;
  readonly whenUnknown: Action | undefined;
  /** Whether it decides, or only tells what it would do. */
  readonly isLive: boolean;
  /** Of a live rule with a share: whether the visitor is in it. */
  readonly rollout: ((slots: Slots) => boolean) | undefined;
}

const VISITOR_ID: Field = {
  path: "identification.visitor_id",
  root: "event",
  keys: ["identification", "visitor_id"],
  type: "string",
};

/** Compiles all rules but those that are off, most severe first. */
export function compileRules(rules: readonly Rule[], slots: SlotTable): CompiledRule[] {
  const judged = rules.filter(({ mode }) => mode !== "off");
  return judged.toSorted(bySeverity).map((rule) => compileRule(rule, slots));
}

function compileRule(rule: Rule, slots: SlotTable): CompiledRule {
  const { id, score, action, message, whenUnknown, mode, rolloutPercent } = rule;
  const condition = compile(rule.condition, slots);
  return {
    id,
    condition,
    evaluate: condition.evaluate,
    score,
    action,
    message,
    whenUnknown: whenUnknown === "skip" ? undefined : whenUnknown,
    isLive: mode === "live",
    rollout: mode === "live" && rolloutPercent !== undefined ? compileRollout(id, rolloutPercent, slots) : undefined,
  };
}

/** Whether the visitor of an input is in a rule's share; nobody is without a visitor id. */
export function compileRollout(ruleId: string, percent: number, slots: SlotTable): (slots: Slots) => boolean {
  const index = slots.indexOf(VISITOR_ID);
  return (values) => {
    const visitorId = values[index];
    return typeof visitorId === "string" && isRolledOut(ruleId, visitorId, percent);
  };
}

/** The paths whose absence makes a condition unknown. */
export function missingOf(condition: Term, slots: Slots): string[] {
  const paths = new Set<string>();
  condition.missing(slots, paths);
  return [...paths];
}

function bySeverity(a: Rule, b: Rule): number {
  const severity = ({ action }: Rule) => (action === undefined ? 0 : ACTIONS.indexOf(action) + 1);
  return severity(b) - severity(a) || (b.score ?? 0) - (a.score ?? 0) || (a.id < b.id ? -1 : 1);
}
