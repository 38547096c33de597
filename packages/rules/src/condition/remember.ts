import { canonicalExpression, type Expression, partsOf } from "./expression.ts";
import type { SlotTable } from "./slots.ts";
import type { Term } from "./term.ts";

/** Stands in a place for what turned out unknown; no text and no boolean is a number. */
const UNKNOWN = 0;

/**
 * Works a text or a boolean out once per input, or once per element inside a macro, however many rules, evidence and
 * missing names ask for it.
 */
export function remember(term: Term, expression: Expression, slots: SlotTable): Term {
  const { evaluate } = term;
  const place = placeOf(expression, slots);
  return {
    ...term,
    evaluate: (values) => {
      const known = values[place];
      if (known !== undefined) return known === UNKNOWN ? undefined : known;
      const value = evaluate(values);
      values[place] = value ?? UNKNOWN;
      return value;
    },
  };
}

/** Whether an expression is worth remembering: it looks at a whole text or list. */
export function isRemembered(expression: Expression): boolean {
  const { kind } = expression;
  if (kind === "lower" || kind === "text" || kind === "listed" || kind === "each") return true;
  // Two texts of an event can be as long as half of it, and as good as equal.
  if (kind !== "compare" || (expression.op !== "==" && expression.op !== "!=")) return false;
  return expression.sides.every((side) => side.kind !== "literal");
}

/** Where the parts of a macro's condition are remembered that differ from element to element. */
export function placesOfElement(condition: Expression, slots: SlotTable): number[] {
  const own = isRemembered(condition) && isOfElement(condition) ? [placeOf(condition, slots)] : [];
  return [...own, ...partsOf(condition).flatMap((part) => placesOfElement(part, slots))];
}

/** Whether an expression depends on the element that a macro around it is at. */
export function isOfElement(expression: Expression): boolean {
  if (expression.kind === "field" || expression.kind === "has") return expression.field.root === "element";
  return expression.kind !== "each" && partsOf(expression).some(isOfElement);
}

function placeOf(expression: Expression, slots: SlotTable): number {
  return slots.derived(JSON.stringify(canonicalExpression(expression)));
}
