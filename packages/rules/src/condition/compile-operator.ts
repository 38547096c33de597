import type { Arithmetic, Comparison, Expression, Literal, PlacedLiteral } from "./expression.ts";
import type { Slots, SlotValue } from "./slot-value.ts";
import type { SlotTable } from "./slots.ts";
import type { Evidence, Term } from "./term.ts";

type Comparing = Extract<Expression, { kind: "compare" }>;

/** A comparison; unknown when a side is. A field beside a literal, which most are, skips two calls. */
export function compileComparison(
  { op, sides: [left, right] }: Comparing,
  compiled: (side: Expression) => Term,
  slots: SlotTable,
): Term {
  const operands = [compiled(left), compiled(right)] as const;
  if (left.kind === "field" && right.kind === "literal") {
    const { field, explain, missing } = operands[0];
    return { field, evaluate: compareWithLiteral(op, slots.indexOf(left.field), right.value), explain, missing };
  }
  return { evaluate: compareAny(op, ...operands), ...explainedBy(operands) };
}

function compareAny(op: Comparison, left: Term, right: Term): Term["evaluate"] {
  const holds = comparator(op);
  return (slots) => {
    const a = left.evaluate(slots);
    const b = right.evaluate(slots);
    return a === undefined || b === undefined ? undefined : holds(a, b);
  };
}

function compareWithLiteral(op: Comparison, index: number, literal: Literal): Term["evaluate"] {
  switch (op) {
    case "==":
      return (slots) => {
        const value = slots[index];
        return value === undefined ? undefined : value === literal;
      };
    case "!=":
      return (slots) => {
        const value = slots[index];
        return value === undefined ? undefined : value !== literal;
      };
    case "<":
      return (slots) => {
        const value = slots[index];
        return value === undefined ? undefined : value < literal;
      };
    case "<=":
      return (slots) => {
        const value = slots[index];
        return value === undefined ? undefined : value <= literal;
      };
    case ">":
      return (slots) => {
        const value = slots[index];
        return value === undefined ? undefined : value > literal;
      };
    case ">=":
      return (slots) => {
        const value = slots[index];
        return value === undefined ? undefined : value >= literal;
      };
  }
}

function comparator(op: Comparison): (a: SlotValue, b: SlotValue) => boolean {
  switch (op) {
    case "==":
      return (a, b) => a === b;
    case "!=":
      return (a, b) => a !== b;
    case "<":
      return (a, b) => a < b;
    case "<=":
      return (a, b) => a <= b;
    case ">":
      return (a, b) => a > b;
    case ">=":
      return (a, b) => a >= b;
  }
}

/** Membership in a list of literals. A text longer than any of them is not hashed. */
export function compileMembership(item: Term, list: readonly PlacedLiteral[]): Term {
  const values = new Set<SlotValue>(list.map(({ value }) => value));
  const longest = Math.max(...list.map(({ value }) => String(value).length));
  const { field, explain, missing } = item;
  return {
    field,
    explain,
    missing,
    evaluate: (slots) => {
      const value = item.evaluate(slots);
      if (value === undefined) return undefined;
      return (typeof value !== "string" || value.length <= longest) && values.has(value);
    },
  };
}

/** Arithmetic on numbers; what is no finite number (a division by zero) is unknown. */
export function compileArithmetic(op: Arithmetic, left: Term, right: Term): Term {
  const calculate = calculator(op);
  const { explain, missing } = explainedBy([left, right]);
  return {
    explain,
    // No name is absent where the numbers themselves have no result: then both sides are what is to blame.
    missing: (slots, paths) => {
      missing(slots, paths);
      if (left.evaluate(slots) === undefined || right.evaluate(slots) === undefined) return;
      const sides: Evidence = {};
      explain(slots, sides);
      for (const path in sides) paths.add(path);
    },
    evaluate: (slots) => {
      const a = left.evaluate(slots);
      const b = right.evaluate(slots);
      if (typeof a !== "number" || typeof b !== "number") return undefined;
      const result = calculate(a, b);
      return Number.isFinite(result) ? result : undefined;
    },
  };
}

function calculator(op: Arithmetic): (a: number, b: number) => number {
  switch (op) {
    case "+":
      return (a, b) => a + b;
    case "-":
      return (a, b) => a - b;
    case "*":
      return (a, b) => a * b;
    case "/":
      return (a, b) => a / b;
    case "%":
      return (a, b) => a % b;
  }
}

// All operands had to be known, so all of them explain, and each unknown one is missing.
function explainedBy(operands: readonly Term[]): Pick<Term, "explain" | "missing"> {
  return {
    explain: (slots, evidence) => {
      for (const operand of operands) operand.explain(slots, evidence);
    },
    missing: (slots: Slots, paths) => {
      for (const operand of operands) {
        if (operand.evaluate(slots) === undefined) operand.missing(slots, paths);
      }
    },
  };
}
