import type { Field } from "./catalogue.ts";
import { compileEach } from "./compile-each.ts";
import { compileIncludes, compileListed } from "./compile-list.ts";
import { compileArithmetic, compileComparison, compileMembership } from "./compile-operator.ts";
import { compileAge, compileLower, compileText } from "./compile-text.ts";
import { bounded } from "./evidence.ts";
import type { Expression } from "./expression.ts";
import { isRemembered, remember } from "./remember.ts";
import type { SlotValue } from "./slot-value.ts";
import type { SlotTable } from "./slots.ts";
import type { Evidence, Flag, Term } from "./term.ts";

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

function compileField({ path, type }: Field, place: number): Term {
  const flag = type === "boolean" ? { place, falseValue: false } : undefined;
  return {
    field: { path, place },
    flag,
    falseBy: flag,
    evaluate: (slots) => slots[place],
    explain: (slots, evidence) => explainField(path, slots[place], evidence),
    missing: (_, paths) => paths.add(path),
  };
}

function explainField(path: string, value: SlotValue | undefined, evidence: Evidence): void {
  if (value !== undefined) evidence[path] = bounded(value);
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

function compileNot({ evaluate, explain, missing, ...operand }: Term): Term {
  const flag = operand.flag && { ...operand.flag, falseValue: !operand.flag.falseValue };
  return {
    field: operand.field,
    flag,
    falseBy: flag,
    evaluate: (slots) => {
      const value = evaluate(slots);
      return value === undefined ? undefined : !value;
    },
    explain,
    missing,
  };
}

/**
 * Kleene's and, or: `decisive` (false for and, true for or) wins over unknown, unknown over the other. What is decisive
 * is explained by the operands that are; what is not, by all of them.
 */
function compileLogical(operands: readonly Term[], decisive: boolean): Term {
  // Flags come first, as they need no call.
  const evaluate = operands
    .toSorted((a, b) => Number(a.flag === undefined) - Number(b.flag === undefined))
    .map(({ evaluate: own, flag }) => ({ own, flag }))
    .reduceRight<Term["evaluate"] | undefined>((rest, { own, flag }) => {
      if (rest === undefined) return own;
      return flag === undefined ? joined(own, rest, decisive) : joinedFlag(flag, rest, decisive);
    }, undefined);
  if (evaluate === undefined) throw new TypeError("A list of operands is never empty.");
  return {
    evaluate,
    falseBy: decisive ? undefined : operands.find(({ falseBy }) => falseBy !== undefined)?.falseBy,
    explain: (slots, evidence) => {
      const isDecided = evaluate(slots) === decisive;
      for (const operand of operands) {
        if (isDecided && operand.evaluate(slots) !== decisive) continue;
        // The same as a call, but for the call.
        if (operand.field === undefined) operand.explain(slots, evidence);
        else explainField(operand.field.path, slots[operand.field.place], evidence);
      }
    },
    missing: (slots, paths) => {
      for (const operand of operands) {
        if (operand.field === undefined) {
          if (operand.evaluate(slots) === undefined) operand.missing(slots, paths);
        } else if (slots[operand.field.place] === undefined) paths.add(operand.field.path);
      }
    },
  };
}

function joined(first: Term["evaluate"], rest: Term["evaluate"], decisive: boolean): Term["evaluate"] {
  return (slots) => {
    const a = first(slots);
    if (a === decisive) return decisive;
    const b = rest(slots);
    if (b === decisive) return decisive;
    return a === undefined || b === undefined ? undefined : !decisive;
  };
}

function joinedFlag({ place, falseValue }: Flag, rest: Term["evaluate"], decisive: boolean): Term["evaluate"] {
  const decisiveValue = decisive ? !falseValue : falseValue;
  return (slots) => {
    const a = slots[place];
    if (a === decisiveValue) return decisive;
    const b = rest(slots);
    if (b === decisive) return decisive;
    return a === undefined || b === undefined ? undefined : !decisive;
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
