import type { Field } from "./catalogue.ts";
import { compileEach } from "./compile-each.ts";
import { compileIncludes, compileListed } from "./compile-list.ts";
import { compileArithmetic, compileComparison, compileMembership } from "./compile-operator.ts";
import { compileAge, compileLower, compileText } from "./compile-text.ts";
import { bounded } from "./evidence.ts";
import type { Expression } from "./expression.ts";
import { isRemembered, remember } from "./remember.ts";
import type { SlotTable, SlotValue } from "./slots.ts";
import type { Term } from "./term.ts";

/** Compiles a checked expression to closures over the slots of its fields. */
export function compile(expression: Expression, slots: SlotTable): Term {
  const term = compileNode(expression, slots);
  // A look-up remembers the entry itself.
  return isRemembered(expression) && expression.kind !== "listed" ? remember(term, expression, slots) : term;
}

function compileNode(expression: Expression, slots: SlotTable): Term {
  const compiled = (part: Expression) => compile(part, slots);
  switch (expression.kind) {
    case "literal":
      return constant(expression.value);
    case "field":
      return compileField(expression.field, slots.indexOf(expression.field));
    case "has":
      return compileHas(expression.field, slots.indexOf(expression.field));
    case "not":
      return compileNot(compiled(expression.operand));
    case "all":
      return compileLogical(expression.operands.map(compiled), false);
    case "any":
      return compileLogical(expression.operands.map(compiled), true);
    case "choose":
      return compileChoice(compiled(expression.condition), compiled(expression.yes), compiled(expression.no));
    case "compare":
      return compileComparison(expression, compiled, slots);
    case "in":
      return compileMembership(compiled(expression.item), expression.list);
    case "negate":
      return compileArithmetic("-", constant(0), compiled(expression.operand));
    case "arithmetic":
      return compileArithmetic(expression.op, compiled(expression.sides[0]), compiled(expression.sides[1]));
    case "age":
      return compileAge(expression, compiled(expression.operand));
    case "lower":
      return compileLower(expression, compiled(expression.operand));
    case "text":
      return compileText(expression, compiled(expression.subject));
    case "listed":
      return compileListed(expression, compiled(expression.item), slots);
    case "includes":
      return compileIncludes(expression, slots);
    case "each":
      return compileEach(expression, compiled(expression.condition), slots);
  }
}

function constant(value: SlotValue): Term {
  return { evaluate: () => value, explain: () => {}, missing: () => {} };
}

function compileField({ path }: Field, index: number): Term {
  return {
    evaluate: (slots) => slots[index],
    explain: (slots, evidence) => {
      const value = slots[index];
      if (value !== undefined) evidence[path] = bounded(value);
    },
    missing: (slots, paths) => {
      if (slots[index] === undefined) paths.add(path);
    },
  };
}

function compileHas({ path }: Field, index: number): Term {
  return {
    evaluate: (slots) => slots[index] !== undefined,
    explain: (slots, evidence) => {
      const value = slots[index];
      if (value === undefined) evidence[`has(${path})`] = false;
      else evidence[path] = bounded(value);
    },
    missing: () => {},
  };
}

function compileNot(operand: Term): Term {
  const { evaluate } = operand;
  return {
    evaluate: (slots) => {
      const value = evaluate(slots);
      return value === undefined ? undefined : !value;
    },
    explain: operand.explain,
    missing: operand.missing,
  };
}

/**
 * Kleene's and, or: `decisive` (false for and, true for or) wins over unknown, unknown over the other. What is decisive
 * is explained by the operands that are; what is not, by all of them.
 */
function compileLogical(operands: readonly Term[], decisive: boolean): Term {
  const evaluate = operands
    .map((operand) => operand.evaluate)
    .reduce((first, second) => (slots) => {
      const a = first(slots);
      if (a === decisive) return decisive;
      const b = second(slots);
      if (b === decisive) return decisive;
      return a === undefined || b === undefined ? undefined : !decisive;
    });
  return {
    evaluate,
    explain: (slots, evidence) => {
      const results = operands.map((operand) => operand.evaluate(slots));
      const value = results.includes(decisive) ? decisive : !decisive;
      for (const [at, operand] of operands.entries()) {
        if (results[at] === value) operand.explain(slots, evidence);
      }
    },
    missing: (slots, paths) => {
      for (const operand of operands) {
        if (operand.evaluate(slots) === undefined) operand.missing(slots, paths);
      }
    },
  };
}

function compileChoice(condition: Term, yes: Term, no: Term): Term {
  const chosen: (isYes: SlotValue) => Term = (isYes) => (isYes === true ? yes : no);
  return {
    evaluate: (slots) => {
      const isYes = condition.evaluate(slots);
      return isYes === undefined ? undefined : chosen(isYes).evaluate(slots);
    },
    explain: (slots, evidence) => {
      const isYes = condition.evaluate(slots);
      if (isYes === undefined) return;
      condition.explain(slots, evidence);
      chosen(isYes).explain(slots, evidence);
    },
    missing: (slots, paths) => {
      const isYes = condition.evaluate(slots);
      (isYes === undefined ? condition : chosen(isYes)).missing(slots, paths);
    },
  };
}
