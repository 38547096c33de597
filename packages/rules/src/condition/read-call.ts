import { closestName } from "@assay/protocol";
import type { ASTNode } from "@marcbachmann/cel-js";
import type { Expression, Macro, Shape, TextTest } from "./expression.ts";
import type { ConditionScope } from "./condition-scope.ts";
import { readName } from "./read-name.ts";

/** Reads an argument of a call. */
type Read = (node: ASTNode, scope: ConditionScope) => Expression | undefined;

/** How each function is written. */
const USES = {
  has: "has(bot)",
  age: "age(identification.first_seen_at)",
  lower: "lower(user_agent)",
  startsWith: 'url.startsWith("https://")',
  endsWith: 'url.endsWith("/login")',
  contains: 'user_agent.contains("Headless")',
  matches: 'user_agent.matches("Chrome/1[0-9]{2}")',
  exists: 'labels.exists(l, l.label == "automation_tool" && l.prediction)',
  all: "labels.all(l, !l.prediction)",
  exists_one: "labels.exists_one(l, l.prediction)",
} as const;

/** Reads a call of a function: `has(bot)`, `age(…)`, `lower(…)`. */
export function readCall(
  name: string,
  args: readonly ASTNode[],
  at: number,
  scope: ConditionScope,
  read: Read,
): Shape | undefined {
  const [argument, ...rest] = args;
  if (name !== "has" && name !== "age" && name !== "lower") return refuseFunction(name, at, scope);
  if (argument === undefined || rest.length > 0) return refuseUse(name, at, scope);
  if (name !== "has") {
    const operand = read(argument, scope);
    return operand && { kind: name, at, operand };
  }
  if (argument.op !== "id" && argument.op !== ".") {
    return refuse(scope, at, "has() asks for one name: has(bot), has(velocity.events.1_hour).");
  }
  const field = readName(argument, scope);
  return field && { kind: "has", at, field };
}

/** Reads what is called on a value: `url.contains("x")`, `labels.exists(l, …)`. */
export function readMethod(
  name: string,
  [receiver, args]: readonly [ASTNode, readonly ASTNode[]],
  at: number,
  scope: ConditionScope,
  read: Read,
): Shape | undefined {
  switch (name) {
    case "startsWith":
    case "endsWith":
    case "contains":
    case "matches":
      return readText(name, receiver, args, at, scope, read);
    case "exists":
    case "all":
    case "exists_one":
      return readMacro(name, receiver, args, at, scope, read);
    default:
      return refuseFunction(name, at, scope);
  }
}

function readText(
  test: TextTest,
  receiver: ASTNode,
  args: readonly ASTNode[],
  at: number,
  scope: ConditionScope,
  read: Read,
): Shape | undefined {
  const [pattern, ...rest] = args;
  const subject = read(receiver, scope);
  if (pattern === undefined || rest.length > 0) return refuseUse(test, at, scope);
  if (pattern.op !== "value" || typeof pattern.args !== "string") {
    return refuse(scope, pattern.start, `${test}() takes a text in quotes: ${USES[test]}.`);
  }
  return subject && { kind: "text", at, test, subject, pattern: pattern.args };
}

function readMacro(
  macro: Macro,
  receiver: ASTNode,
  args: readonly ASTNode[],
  at: number,
  scope: ConditionScope,
  read: Read,
): Shape | undefined {
  const [variable, predicate, ...rest] = args;
  if (scope.element !== undefined) return refuse(scope, at, `${macro}() cannot stand inside of another.`);
  const field = readName(receiver, scope);
  if (variable?.op !== "id" || predicate === undefined || rest.length > 0) return refuseUse(macro, at, scope);
  if (field === undefined) return undefined;
  if (field.elements === undefined) {
    const why = field.type === "array" ? "what it holds is not known" : "it is not a list";
    return refuse(scope, at, `${macro}() cannot look into ${field.path}: ${why}.`);
  }
  const name = variable.args;
  if ([...scope.catalogue.fields.keys()].some((path) => path === name || path.startsWith(`${name}.`))) {
    return refuse(scope, variable.start, `${name} is a known name. Call the element something else.`);
  }
  const condition = read(predicate, { ...scope, element: { name, list: field } });
  return condition && { kind: "each", at, macro, field, condition };
}

function refuseFunction(name: string, at: number, scope: ConditionScope): undefined {
  const known: Record<string, string> = USES;
  if (Object.hasOwn(known, name)) return refuse(scope, at, `${name}() is written as in ${known[name]}.`);
  const meant = closestName(name, Object.keys(known));
  const names = Object.keys(known).map((one) => `${one}()`);
  const fix =
    meant === undefined ? `Conditions know ${names.join(", ")}.` : `Did you mean ${meant}(), as in ${known[meant]}?`;
  return refuse(scope, at, `There is no function ${name}(). ${fix}`);
}

function refuseUse(name: keyof typeof USES, at: number, scope: ConditionScope): undefined {
  return refuse(scope, at, `${name}() is written as in ${USES[name]}.`);
}

function refuse(scope: ConditionScope, at: number, message: string): undefined {
  scope.fault(at, message);
  return undefined;
}
