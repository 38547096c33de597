import type { Field } from "./catalogue.ts";

/** A literal of a condition. */
export type Literal = string | number | boolean;

export type Comparison = "==" | "!=" | "<" | "<=" | ">" | ">=";
export type TextTest = "startsWith" | "endsWith" | "contains" | "matches";
export type Macro = "exists" | "all" | "exists_one";
export type Arithmetic = "+" | "-" | "*" | "/" | "%";

/**
 * A condition after parsing: the part of CEL that rulesets use. It stands from offset `at` of the condition's text to
 * `end`, not included; brackets around it are no part of it.
 */
export type Expression = Shape & { readonly end: number };

export type Shape =
  | { readonly kind: "literal"; readonly at: number; readonly value: Literal }
  | { readonly kind: "field"; readonly at: number; readonly field: Field }
  | { readonly kind: "has"; readonly at: number; readonly field: Field }
  | { readonly kind: "not"; readonly at: number; readonly operand: Expression }
  | { readonly kind: "negate"; readonly at: number; readonly operand: Expression }
  | { readonly kind: "all" | "any"; readonly at: number; readonly operands: readonly Expression[] }
  | { readonly kind: "compare"; readonly at: number; readonly op: Comparison; readonly sides: Sides }
  | { readonly kind: "arithmetic"; readonly at: number; readonly op: Arithmetic; readonly sides: Sides }
  | { readonly kind: "in"; readonly at: number; readonly item: Expression; readonly list: readonly PlacedLiteral[] }
  /** Seconds from a time, in unix ms, to the submission's `received_at`. */
  | { readonly kind: "age"; readonly at: number; readonly operand: Expression }
  | { readonly kind: "lower"; readonly at: number; readonly operand: Expression }
  | {
      readonly kind: "text";
      readonly at: number;
      readonly test: TextTest;
      readonly subject: Expression;
      readonly pattern: string;
    }
  /** `item in lists.name` */
  | { readonly kind: "listed"; readonly at: number; readonly item: Expression; readonly list: string }
  /** `"vip" in facts.tags`: a literal in a list of the input. */
  | { readonly kind: "includes"; readonly at: number; readonly item: PlacedLiteral; readonly field: Field }
  /** A macro over a list of the input; its condition may use the fields of one element. */
  | {
      readonly kind: "each";
      readonly at: number;
      readonly macro: Macro;
      readonly field: Field;
      readonly condition: Expression;
    }
  | {
      readonly kind: "choose";
      readonly at: number;
      readonly condition: Expression;
      readonly yes: Expression;
      readonly no: Expression;
    };

type Sides = readonly [Expression, Expression];
export type PlacedLiteral = Extract<Expression, { kind: "literal" }>;

/** The parts an expression is made of, left to right. */
export function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "literal":
    case "field":
    case "has":
      return [];
    case "not":
    case "negate":
      return [expression.operand];
    case "all":
    case "any":
      return expression.operands;
    case "compare":
    case "arithmetic":
      return expression.sides;
    case "in":
    case "listed":
    case "includes":
      return [expression.item];
    case "age":
    case "lower":
      return [expression.operand];
    case "text":
      return [expression.subject];
    case "each":
      return [expression.condition];
    case "choose":
      return [expression.condition, expression.yes, expression.no];
  }
}

/** An expression as plain lists: equal for equal meaning, whatever the spacing, quotes and comments in the text. */
export function canonicalExpression(expression: Expression): unknown {
  switch (expression.kind) {
    case "literal":
      return { literal: expression.value };
    case "field":
    case "has":
      return [expression.kind, expression.field.path];
    case "in":
      return ["in", canonicalExpression(expression.item), expression.list.map(({ value }) => value)];
    case "listed":
      return ["listed", canonicalExpression(expression.item), expression.list];
    case "includes":
      return ["includes", canonicalExpression(expression.item), expression.field.path];
    case "text":
      return [expression.test, canonicalExpression(expression.subject), expression.pattern];
    case "each":
      return [expression.macro, expression.field.path, canonicalExpression(expression.condition)];
    case "compare":
    case "arithmetic":
      return [expression.op, ...expression.sides.map(canonicalExpression)];
    case "not":
    case "negate":
    case "all":
    case "any":
    case "age":
    case "lower":
    case "choose":
      return [expression.kind, ...partsOf(expression).map(canonicalExpression)];
  }
}
