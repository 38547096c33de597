import type { Field } from "../condition/catalogue.ts";
import { clauseText } from "../condition/clause-text.ts";
import { compile } from "../condition/compile.ts";
import { bounded } from "../condition/evidence.ts";
import { type Expression, partsOf } from "../condition/expression.ts";
import type { Input } from "../condition/input.ts";
import type { Slots } from "../condition/slot-value.ts";
import { SlotTable } from "../condition/slots.ts";
import type { Evidence, Term } from "../condition/term.ts";
import type { Rule, WrittenCondition } from "../ruleset/rule.ts";
import type { RulesetContent } from "../ruleset/ruleset-content.ts";
import { compileRollout, missingOf } from "./compiled-rule.ts";
import type { ClauseExplanation, RuleExplanation } from "./explanation.ts";

/** Explains every rule of a ruleset, in the order of its files. Compiles anew each time: it is for people. */
export function explainRules({ rules, lists }: RulesetContent, input: Input): RuleExplanation[] {
  const slots = new SlotTable(lists);
  // All are compiled before the input is read, as that gives their fields a place.
  const explained = rules.map((rule) => explainable(rule, slots));
  const values = slots.read(input);
  return explained.map((explain) => explain(values));
}

function explainable(rule: Rule, slots: SlotTable): (values: Slots) => RuleExplanation {
  const { id, mode, score, action, message, rolloutPercent } = rule;
  const condition = compile(rule.condition, slots);
  const when = explainableClause(rule.when, rule.when.expression, slots);
  const except = rule.except && explainableClause(rule.except, rule.except.expression, slots);
  const rollout = rolloutPercent === undefined ? undefined : compileRollout(id, rolloutPercent, slots);
  return (values) => {
    const isTrue = condition.evaluate(values);
    return {
      rule: id,
      mode,
      result: mode === "off" ? "off" : isTrue === undefined ? "unknown" : isTrue === true ? "hit" : "missed",
      missing: isTrue === undefined ? missingOf(condition, values) : [],
      when: when(values),
      ...(except === undefined ? {} : { except: except(values) }),
      ...(rollout === undefined ? {} : { rolledOut: rollout.isReached(values) }),
      ...(score === undefined ? {} : { score }),
      ...(action === undefined ? {} : { action }),
      ...(message === undefined ? {} : { message }),
    };
  };
}

function explainableClause(
  written: WrittenCondition,
  expression: Expression,
  slots: SlotTable,
): (values: Slots) => ClauseExplanation {
  const text = clauseText(expression, written.text);
  const term = compile(expression, slots);
  const clauses = clausesOf(expression).map((clause) => explainableClause(written, clause, slots));
  const fields =
    clauses.length > 0 ? [] : fieldsIn(expression).map((field) => [field.path, slots.indexOf(field)] as const);
  return (values) => {
    const result = term.evaluate(values);
    return {
      text,
      result: result === undefined ? "unknown" : result === true,
      values: { ...valuesOf(fields, values), ...(clauses.length > 0 ? {} : evidenceOf(term, values)) },
      clauses: clauses.map((explain) => explain(values)),
    };
  };
}

// `!vpn` is one clause; `!(vpn || proxy)` is made of two.
function clausesOf(expression: Expression): readonly Expression[] {
  if (expression.kind === "all" || expression.kind === "any") return expression.operands;
  if (expression.kind !== "not") return [];
  const { operand } = expression;
  return operand.kind === "not" || clausesOf(operand).length > 0 ? [operand] : [];
}

function fieldsIn(expression: Expression): Field[] {
  // What `has()` asks for is told as evidence.
  const isNamed = "field" in expression && expression.kind !== "has" && expression.field.root !== "element";
  return [...(isNamed ? [expression.field] : []), ...partsOf(expression).flatMap(fieldsIn)];
}

function valuesOf(fields: readonly (readonly [string, number])[], values: Slots): Evidence {
  return Object.fromEntries(
    fields.map(([path, index]) => {
      const value = values[index];
      return [path, value === undefined ? undefined : bounded(value)];
    }),
  );
}

// Adds what is more than a name's value: the entry of a list that matched, the element that decided.
function evidenceOf(term: Term, values: Slots): Evidence {
  const evidence: Evidence = {};
  if (term.evaluate(values) !== undefined) term.explain(values, evidence);
  return evidence;
}
