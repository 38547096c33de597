import { closestName } from "@assay/protocol";
import type { Field, FieldType } from "./catalogue.ts";
import { type Expression, partsOf, type PlacedLiteral } from "./expression.ts";
import type { ConditionScope } from "./read-expression.ts";
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
    case "literal":
    case "field":
    case "has":
    case "not":
    case "negate":
    case "all":
    case "any":
    case "choose":
    case "age":
    case "lower":
    case "text":
    case "listed":
    case "includes":
    case "each":
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
  return side.kind !== "field" || other.kind !== "literal" || checkLiteral(side.field, other, scope);
}

function checkLiteral(field: Field, { value, at }: PlacedLiteral, scope: ConditionScope): boolean {
  if (field.path === "context.flow" && typeof value === "string" && !FLOW_PATTERN.test(value)) {
    scope.fault(at, "A flow is 1 to 64 characters of a-z, 0-9, _ and -, so it is never this.");
    return false;
  }
  const values = field.values;
  if (values === undefined || typeof value === "boolean" || values.includes(value)) return true;
  const meant = typeof value === "string" ? closestName(value, values.map(String)) : undefined;
  const fix = meant === undefined ? "" : ` Did you mean ${JSON.stringify(meant)}?`;
  const known = values.map((one) => JSON.stringify(one)).join(", ");
  scope.fault(at, `${field.path} is never ${JSON.stringify(value)}; it is one of ${known}.${fix}`);
  return false;
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
