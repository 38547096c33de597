import { canonicalExpression, type Expression, partsOf, type TextTest } from "./expression.ts";
import { MAX_ELEMENT_TEXT, MAX_ELEMENTS, MAX_TEXT } from "./limits.ts";
import type { ListType } from "./list-type.ts";
import { isOfElement, isRemembered } from "./remember.ts";

/** What the costliest input makes of each, in ns; measured by bench/cost.ts. */
export const NODE_NS = 30;
/** Of two texts that are half an event each; of the texts of many elements with one it is at most twice that. */
const LONG_COMPARISON_NS = 180_000;
const TEST_NS_PER_CHARACTER: Record<TextTest, number> = {
  startsWith: 0.1,
  endsWith: 0.1,
  contains: 15,
  matches: 14,
};
const LOWER_NS_PER_CHARACTER = 45;
const LOOK_UP_NS: Record<ListType, number> = {
  string: 2000,
  cidr: 20_000,
  asn: 2000,
  country: 2000,
  email_domain: 15_000,
};
/** Only domains take longer the longer they are; this is for one of an element's length. */
const LOOK_UP_ELEMENT_NS: Record<ListType, number> = { ...LOOK_UP_NS, email_domain: 6000 };

/**
 * The longest time, in ns, that a condition can take on any event: to be evaluated, and for its evidence or its missing
 * names. What is remembered is paid once, and once more by a macro that goes through its list again for those.
 */
export function costOf(expression: Expression, lists: ReadonlyMap<string, ListType>): number {
  // Other parts are evaluated once, and again for the evidence of each part around them.
  const visit = (part: Expression, around: number, elements: number, remembered: Set<string>): number => {
    const again = (around + 2) * elements;
    let own = NODE_NS * again;
    if (part.kind === "includes") own += MAX_ELEMENTS * NODE_NS * again;
    if (isRemembered(part)) {
      const key = JSON.stringify(canonicalExpression(part));
      if (!remembered.has(key)) own += workOf(part, lists) * (isOfElement(part) ? 2 : 1);
      remembered.add(key);
    }
    if (part.kind === "each") return own + visit(part.condition, 0, MAX_ELEMENTS, new Set());
    return partsOf(part).reduce((sum, inner) => sum + visit(inner, around + 1, elements, remembered), own);
  };
  return visit(expression, 0, 1, new Set());
}

/** The longest that what is remembered of a part takes; of all elements together inside a macro. */
export function workOf(expression: Expression, lists: ReadonlyMap<string, ListType>): number {
  if (expression.kind === "text") return TEST_NS_PER_CHARACTER[expression.test] * charactersOf(expression.subject);
  if (expression.kind === "lower") return LOWER_NS_PER_CHARACTER * charactersOf(expression.operand);
  if (expression.kind === "listed") return lookUpNs(expression, lists.get(expression.list) ?? "string");
  if (expression.kind !== "compare" || !expression.sides.every(isText)) return 0;
  return isOfElement(expression) ? 2 * LONG_COMPARISON_NS : LONG_COMPARISON_NS;
}

function lookUpNs({ item }: Extract<Expression, { kind: "listed" }>, type: ListType): number {
  return isOfElement(item) ? LOOK_UP_ELEMENT_NS[type] * MAX_ELEMENTS : LOOK_UP_NS[type];
}

// How many characters are looked at; of all elements together inside a macro.
function charactersOf(subject: Expression): number {
  return isOfElement(subject) ? MAX_ELEMENT_TEXT * MAX_ELEMENTS : MAX_TEXT;
}

function isText(expression: Expression): boolean {
  if (expression.kind === "choose") return isText(expression.yes) || isText(expression.no);
  return expression.kind === "lower" || (expression.kind === "field" && expression.field.type === "string");
}
