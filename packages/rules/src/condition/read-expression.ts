import type { ASTNode } from "@marcbachmann/cel-js";
import type { Catalogue } from "./catalogue.ts";
import type { Expression, PlacedLiteral, Shape } from "./expression.ts";

/** What reading one condition needs. `text` is the condition as it was written, with its own window keys. */
export interface ConditionScope {
  readonly text: string;
  readonly catalogue: Catalogue;
  /** Records a fault at an offset of the text. */
  fault(at: number, message: string): void;
}

const MAX_DEPTH = 32;

/** Functions of CEL, or of later versions. */
const LATER_FUNCTIONS = new Set(
  (
    "age all cidr contains count duration endsWith exists exists_one filter int double string lower upper list map " +
    "matches re size startsWith timestamp bool type dyn split join trim substring indexOf replace"
  ).split(" "),
);

/** Names that later versions put before a dot. */
const LATER_ROOTS = new Set(["counters", "lists"]);

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
    case ".":
      return readField(node, "field", scope);
    case "call":
      return readCall(node.args[0], node.args[1], at, scope);
    case "rcall":
      return refuseFunction(node.args[0], at, scope);
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

function readField(node: ASTNode, kind: "field" | "has", scope: ConditionScope): Shape | undefined {
  const path = pathOf(node, scope.text);
  if (path === undefined) return refuse(scope, node.start, "Only a name may stand before a dot.");
  const field = scope.catalogue.field(path);
  if (field !== undefined) return { kind, at: node.start, field };
  return refuse(scope, node.start, unknownPath(path, scope.catalogue));
}

// Read from the text, not from the tree: the tree holds window keys in CEL's spelling.
function pathOf(node: ASTNode, text: string): string | undefined {
  if (node.op === "id") return text.slice(node.start, node.end);
  if (node.op !== ".") return undefined;
  const parent = pathOf(node.args[0], text);
  return parent && `${parent}.${text.slice(node.pos, node.end)}`;
}

function unknownPath(path: string, catalogue: Catalogue): string {
  const [root = ""] = path.split(".");
  if (LATER_ROOTS.has(root)) return `${root} is not in this version.`;
  if (/^(true|false)$/i.test(path)) return `CEL writes ${path.toLowerCase()} for ${path}.`;
  const meant = catalogue.suggest(path);
  if (meant !== undefined) return `${path} is not a known name. Did you mean ${meant}?`;
  return `${path} is not a known name.${root === "facts" ? " Declare it under facts." : ""}`;
}

function readCall(name: string, args: readonly ASTNode[], at: number, scope: ConditionScope): Shape | undefined {
  if (name !== "has") return refuseFunction(name, at, scope);
  const [asked, ...rest] = args;
  if (asked === undefined || rest.length > 0 || (asked.op !== "id" && asked.op !== ".")) {
    return refuse(scope, at, "has() asks for one name: has(bot), has(velocity.events.1_hour).");
  }
  const found = readField(asked, "has", scope);
  return found && { ...found, at };
}

function refuseFunction(name: string, at: number, scope: ConditionScope): undefined {
  const spelling = celSpelling(name);
  if (spelling !== undefined) return refuse(scope, at, spelling);
  if (LATER_FUNCTIONS.has(name)) return refuse(scope, at, `${name}() is not in this version.`);
  return refuse(scope, at, `There is no function ${name}(). Conditions know has().`);
}

/** What CEL writes for an operator that other languages spell as a word. */
export function celSpelling(word: string): string | undefined {
  const spellings: ReadonlyMap<string, string> = new Map([
    ["and", "&&"],
    ["or", "||"],
    ["not", "!"],
    ["is", "=="],
    ["in", "in"],
  ]);
  const spelling = spellings.get(word.toLowerCase());
  return spelling && `CEL writes ${spelling} for ${word}.`;
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
  const item = readExpression(left, scope, depth + 1);
  if (right.op !== "list") {
    const path = pathOf(right, scope.text);
    const later = path !== undefined && LATER_ROOTS.has(path.split(".")[0] ?? "");
    const message = later
      ? unknownPath(path, scope.catalogue)
      : 'A list must stand after "in": bot in ["bad", "good"].';
    return refuse(scope, right.start, message);
  }
  if (right.args.length === 0) return refuse(scope, right.start, "An empty list contains nothing.");
  const list = right.args.flatMap((element): PlacedLiteral[] => {
    const literal = readExpression(element, scope, depth + 1);
    if (literal?.kind === "literal") return [literal];
    if (literal !== undefined) scope.fault(element.start, "A list holds texts, numbers, true or false only.");
    return [];
  });
  return item && list.length === right.args.length ? { kind: "in", at, item, list } : undefined;
}

function refuse(scope: ConditionScope, at: number, message: string): undefined {
  scope.fault(at, message);
  return undefined;
}
