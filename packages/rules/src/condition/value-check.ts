import { closestName } from "@assay/protocol";
import type { FieldType } from "./catalogue.ts";
import { type Expression, partsOf, type PlacedLiteral } from "./expression.ts";
import { textTest } from "./compile-text.ts";
import { checkListed } from "./list-check.ts";
import type { ConditionScope } from "./condition-scope.ts";
import { isOfElement } from "./remember.ts";
import { faultOfSpelling } from "./spelling.ts";
import { checkAge, checkText, faultOfLower } from "./text-check.ts";
import { FLOW_PATTERN } from "../ruleset/settings.ts";

/**
 * Whether every comparison of a well-typed expression can go both ways: literals are values that the field beside them
 * can take, and only numbers are ordered. Records a fault for each that cannot.
 */
export function checkValues(expression: Expression, scope: ConditionScope): boolean {
  const parts = partsOf(expression).map((part) => checkValues(part, scope));
  return checkNode(expression, scope) && parts.every(Boolean);
}

function checkNode(expression: Expression, scope: ConditionScope): boolean {
  switch (expression.kind) {
    case "compare": {
      const [left, right] = expression.sides;
      if (expression.op !== "==" && expression.op !== "!=") return checkOrdered(expression.op, left, scope);
      return checkEqual(left, right, scope) && checkEqual(right, left, scope);
    }
    case "in":
      return expression.list.map((literal) => checkEqual(expression.item, literal, scope)).every(Boolean);
    case "arithmetic":
      if (typeOf(expression.sides[0]) === "number") return true;
      scope.fault(expression.at, `${expression.op} works on numbers.`);
      return false;
    case "age":
      return checkAge(expression, scope);
    case "text":
      return checkText(expression, scope) && checkTextValues(expression, scope);
    case "listed":
      return checkListed(expression, scope);
    case "each":
      if (isOfElement(expression.condition)) return true;
      scope.fault(expression.condition.at, `What stands in ${expression.macro}() does not look at the element.`);
      return false;
    case "literal":
    case "field":
    case "has":
    case "not":
    case "negate":
    case "all":
    case "any":
    case "choose":
    case "lower":
    case "includes":
      return true;
  }
}

// "99" stands after "120" in a dictionary, and "high" before "low": ordering texts is never what a rule means.
function checkOrdered(op: string, left: Expression, scope: ConditionScope): boolean {
  if (typeOf(left) === "number") return true;
  scope.fault(left.at, `${op} compares numbers only. Compare a text with == or in.`);
  return false;
}

function checkEqual(side: Expression, other: Expression, scope: ConditionScope): boolean {
  const type = typeOf(side);
  if (type === "object" || type === "array") {
    scope.fault(side.at, "This is a group of signals. Name one of its fields, or ask has().");
    return false;
  }
  return other.kind !== "literal" || checkLiteral(side, other, scope);
}

function checkLiteral(side: Expression, { value, at }: PlacedLiteral, scope: ConditionScope): boolean {
  if (typeof value === "boolean") return true;
  if (side.kind === "lower" && typeof value === "string") {
    const message = faultOfLower(value);
    if (message !== undefined) scope.fault(at, message);
    if (message !== undefined) return false;
  }
  if (side.kind === "field" && side.field.path === "context.flow" && !FLOW_PATTERN.test(String(value))) {
    scope.fault(at, "A flow is 1 to 64 characters of a-z, 0-9, _ and -, so it is never this.");
    return false;
  }
  const misspelt = side.kind === "field" ? faultOfSpelling(side.field.path, String(value)) : undefined;
  if (misspelt !== undefined) {
    scope.fault(at, misspelt);
    return false;
  }
  const values = valuesOf(side);
  if (values === undefined || values.includes(value)) return true;
  const meant = typeof value === "string" ? closestName(value, values.map(String)) : undefined;
  const fix = meant === undefined ? "" : ` Did you mean ${JSON.stringify(meant)}?`;
  const name = scope.text.slice(side.at, side.end);
  scope.fault(at, `${name} is never ${JSON.stringify(value)}; it is one of ${listed(values)}.${fix}`);
  return false;
}

// A test of a signal whose values are known must be true of one of them.
function checkTextValues(expression: Extract<Expression, { kind: "text" }>, scope: ConditionScope): boolean {
  const { test, subject, pattern } = expression;
  const values = valuesOf(subject)?.map(String);
  if (values === undefined || values.some(textTest(test, pattern))) return true;
  const name = scope.text.slice(subject.at, subject.end);
  scope.fault(expression.at, `This is never true: ${name} is one of ${listed(values)}.`);
  return false;
}

function listed(values: readonly (string | number)[]): string {
  return values.map((one) => JSON.stringify(one)).join(", ");
}

function valuesOf(expression: Expression): readonly (string | number)[] | undefined {
  if (expression.kind === "field") return expression.field.values;
  if (expression.kind !== "lower") return undefined;
  return valuesOf(expression.operand)?.map((value) => String(value).toLowerCase());
}

function typeOf(expression: Expression): FieldType {
  switch (expression.kind) {
    case "literal":
      if (typeof expression.value === "string") return "string";
      return typeof expression.value === "number" ? "number" : "boolean";
    case "field":
      return expression.field.type;
    case "arithmetic":
    case "negate":
    case "age":
      return "number";
    case "lower":
      return "string";
    case "choose":
      return typeOf(expression.yes);
    case "has":
    case "not":
    case "all":
    case "any":
    case "compare":
    case "in":
    case "text":
    case "listed":
    case "includes":
    case "each":
      return "boolean";
  }
}
