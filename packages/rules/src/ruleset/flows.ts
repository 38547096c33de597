import { type Expression, partsOf } from "../condition/expression.ts";

/** The flows that a condition compares with. */
export function flowsIn(expression: Expression): string[] {
  return [...flowsBeside(expression), ...partsOf(expression).flatMap(flowsIn)];
}

/** The flows that a condition asks to be in, in any of its clauses: not those behind a `!` or a `!=`. */
export function flowsAskedBy(expression: Expression): string[] {
  if (expression.kind === "all" || expression.kind === "any") return expression.operands.flatMap(flowsAskedBy);
  return expression.kind === "compare" && expression.op !== "==" ? [] : flowsBeside(expression);
}

function flowsBeside(expression: Expression): string[] {
  const sides = sidesOf(expression);
  if (!sides.some((side) => side.kind === "field" && side.field.path === "context.flow")) return [];
  return sides.flatMap((side) => (side.kind === "literal" && typeof side.value === "string" ? [side.value] : []));
}

function sidesOf(expression: Expression): readonly Expression[] {
  if (expression.kind === "compare") return expression.sides;
  return expression.kind === "in" ? [expression.item, ...expression.list] : [];
}
