import type { ASTNode } from "@marcbachmann/cel-js";
import type { Expression, PlacedLiteral, Shape } from "./expression.ts";
import { readCall, readMethod } from "./read-call.ts";
import type { ConditionScope } from "./condition-scope.ts";
import { pathOf, readName, unknownName } from "./read-name.ts";

const MAX_DEPTH = 32;

/**
 * Narrows CEL's tree to the expressions of a ruleset and resolves every name. Undefined when something in it is
 * unknown or not part of the language; each such thing is a fault of its own.
 */
export function readExpression(node: ASTNode, scope: ConditionScope, depth = 0): Expression | undefined {
  const shape = readShape(node, scope, depth);
  return shape && { ...shape, end: node.end };
}

function readShape(node: ASTNode, scope: ConditionScope, depth: number): Shape | undefined {
  const at = node.start;
  if (depth > MAX_DEPTH) return refuse(scope, at, `The condition is nested more than ${MAX_DEPTH} deep.`);
  switch (node.op) {
    case "value":
      return readLiteral(node.args, at, scope);
    case "id":
    case ".": {
      const field = readName(node, scope);
      return field && { kind: "field", at, field };
    }
    case "call":
      return readCall(node.args[0], node.args[1], at, scope, readArgument(depth));
    case "rcall":
      return readMethod(node.args[0], [node.args[1], node.args[2]], at, scope, readArgument(depth));
    case "||":
      return readLogical("any", node, scope, depth);
    case "&&":
      return readLogical("all", node, scope, depth);
    case "!_": {
      const operand = readExpression(node.args, scope, depth + 1);
      return operand && { kind: "not", at, operand };
    }
    case "-_":
      return readNegation(node.args, at, scope, depth);
    case "==":
    case "!=":
    case "<":
    case "<=":
    case ">":
    case ">=": {
      const sides = readSides(node.args, scope, depth);
      return sides && { kind: "compare", at, op: node.op, sides };
    }
    case "+":
    case "-":
    case "*":
    case "/":
    case "%": {
      const sides = readSides(node.args, scope, depth);
      return sides && { kind: "arithmetic", at, op: node.op, sides };
    }
    case "in":
      return readMembership(node.args, at, scope, depth);
    case "?:": {
      const [condition, yes, no] = node.args.map((part) => readExpression(part, scope, depth + 1));
      return condition && yes && no && { kind: "choose", at, condition, yes, no };
    }
    case "[]":
    case ".?":
    case "[?]":
      return refuse(scope, at, "Write a name with dots, window keys too: velocity.distinct_ip.5_minutes.");
    case "list":
    case "map":
      return refuse(scope, at, 'A list may only stand after "in", as in bot in ["bad", "good"]; there are no maps.');
  }
}

function readArgument(depth: number) {
  return (node: ASTNode, scope: ConditionScope) => readExpression(node, scope, depth + 1);
}

function readLiteral(value: unknown, at: number, scope: ConditionScope): Shape | undefined {
  if (typeof value === "string" || typeof value === "boolean" || typeof value === "number") {
    return { kind: "literal", at, value };
  }
  if (typeof value === "bigint") {
    if (Number.isSafeInteger(Number(value))) return { kind: "literal", at, value: Number(value) };
    return refuse(scope, at, "This number is too large.");
  }
  return value === null
    ? refuse(scope, at, "Nothing is ever null here. Ask whether a name is present: has(bot), !has(bot).")
    : refuse(scope, at, "Only numbers, texts, true and false can be written here.");
}

// `a || b || c` is a tree that leans left; it is read as one list, which bounds depth by nesting and not by length.
function readLogical(kind: "all" | "any", node: ASTNode, scope: ConditionScope, depth: number): Shape | undefined {
  const op = node.op;
  const parts: ASTNode[] = [];
  let rest = node;
  while ((rest.op === "||" || rest.op === "&&") && rest.op === op) {
    parts.unshift(rest.args[1]);
    rest = rest.args[0];
  }
  parts.unshift(rest);
  const operands = parts.flatMap((part) => readExpression(part, scope, depth + 1) ?? []);
  return operands.length === parts.length ? { kind, at: node.start, operands } : undefined;
}

function readNegation(node: ASTNode, at: number, scope: ConditionScope, depth: number): Shape | undefined {
  const operand = readExpression(node, scope, depth + 1);
  if (operand?.kind === "literal" && typeof operand.value === "number") {
    return { kind: "literal", at, value: -operand.value };
  }
  return operand && { kind: "negate", at, operand };
}

function readSides(
  [left, right]: readonly [ASTNode, ASTNode],
  scope: ConditionScope,
  depth: number,
): readonly [Expression, Expression] | undefined {
  const sides = [readExpression(left, scope, depth + 1), readExpression(right, scope, depth + 1)] as const;
  return sides[0] && sides[1] && [sides[0], sides[1]];
}

function readMembership(
  [left, right]: readonly [ASTNode, ASTNode],
  at: number,
  scope: ConditionScope,
  depth: number,
): Shape | undefined {
  if (right.op !== "list") return readNamedList(left, right, at, scope, depth);
  const item = readExpression(left, scope, depth + 1);
  if (right.args.length === 0) return refuse(scope, right.start, "An empty list contains nothing.");
  const list = right.args.flatMap((element): PlacedLiteral[] => {
    const literal = readExpression(element, scope, depth + 1);
    if (literal?.kind === "literal") return [literal];
    if (literal !== undefined) scope.fault(element.start, "A list holds texts, numbers, true or false only.");
    return [];
  });
  return item && list.length === right.args.length ? { kind: "in", at, item, list } : undefined;
}

// `x in lists.name`, or a literal in a list of the input.
function readNamedList(
  left: ASTNode,
  right: ASTNode,
  at: number,
  scope: ConditionScope,
  depth: number,
): Shape | undefined {
  const item = readExpression(left, scope, depth + 1);
  const path = pathOf(right, scope.text) ?? "";
  const [root, name = "", ...rest] = path.split(".");
  if (root === "lists") {
    const isKnown = rest.length === 0 && scope.catalogue.lists.has(name);
    if (!isKnown) return refuse(scope, right.start, unknownName(path, scope));
    return item && { kind: "listed", at, item, list: name };
  }
  const field = scope.catalogue.field(path);
  if (field?.type !== "array") {
    return refuse(scope, right.start, 'A list must stand after "in": bot in ["bad", "good"].');
  }
  if (field.elements?.[0]?.keys.length !== 0) {
    return refuse(scope, right.start, `${path} does not hold plain values. Look into it with ${path}.exists(e, …).`);
  }
  if (item !== undefined && item.kind !== "literal") {
    return refuse(scope, left.start, `Only a literal can be looked for in ${path}. Write ${path}.exists(e, e == …).`);
  }
  return item && { kind: "includes", at, item, field };
}

function refuse(scope: ConditionScope, at: number, message: string): undefined {
  scope.fault(at, message);
  return undefined;
}
