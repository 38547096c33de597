import { isRecord } from "@assay/protocol";
import { type ASTNode, type Environment, ParseError, type ParseResult } from "@marcbachmann/cel-js";
import type { Expression } from "./expression.ts";
import { celSpelling } from "./read-expression.ts";

/** A fault in a condition, by its offset. */
export interface ConditionFault {
  readonly at: number;
  readonly message: string;
}

/** Says what is wrong with a condition that the library could not parse, in CEL's spelling where another was meant. */
export function describeParseFault(error: unknown, text: string): ConditionFault {
  if (!(error instanceof ParseError)) throw error;
  const at = error.range?.start ?? 0;
  const before = /(\w+)\s*$/.exec(text.slice(0, at));
  const spelling = celSpelling(/^\w+/.exec(text.slice(at))?.[0] ?? "");
  if (spelling !== undefined) return { at, message: spelling };
  const spellingBefore = celSpelling(before?.[1] ?? "");
  if (before !== null && spellingBefore !== undefined) return { at: before.index, message: spellingBefore };
  return { at, message: describeCharacter(error, text, at) };
}

function describeCharacter(error: ParseError, text: string, at: number): string {
  switch (text.charAt(at)) {
    case "=":
      return "CEL compares with ==, !=, <=, >=.";
    case "&":
      return "CEL writes && for and.";
    case "|":
      return "CEL writes || for or.";
    case ">":
      if (text.charAt(at - 1) === "<") return "CEL writes != for <>.";
      break;
    case "“":
    case "”":
    case "‘":
    case "’":
      return "Use straight quotes around a text.";
    case "":
      return error.code === "expected_token" ? "A closing bracket is missing." : "The condition ends too early.";
  }
  switch (error.code) {
    case "unterminated_string":
      return "This text has no closing quote.";
    case "limit_exceeded":
      return "The condition is too large or nested too deeply.";
    default:
      return `The condition cannot be read here: ${error.summary}.`;
  }
}

/** What the library's type checker says against a condition, if anything. Spends the parsed tree. */
export function typeFault(
  parsed: ParseResult,
  expression: Expression,
  environment: Environment,
): ConditionFault | undefined {
  // A condition that is nothing but has(x) is a boolean, and the library would refuse has() of a top-level name.
  if (expression.kind === "has") return undefined;
  rewrite(parsed.ast, environment.parse("true").ast);
  const { error, type } = parsed.check();
  if (error !== undefined) {
    return { at: error.range?.start ?? 0, message: describeTypes(error.summary) };
  }
  if (type === "bool") return undefined;
  const hint =
    type === "double" || type === "string" ? "compare it with something" : "name one of its fields, or ask has()";
  return { at: 0, message: `A condition must be true or false, but this is ${describeType(type ?? "")}: ${hint}.` };
}

// One number type: whole numbers become doubles, as all signals are. `has()` is always a boolean of a known name.
function rewrite(node: ASTNode, isTrue: ASTNode): ASTNode {
  if (node.op === "call") return isTrue;
  if (node.op === "value") {
    return typeof node.args === "bigint" ? Object.assign(node, { args: Number(node.args) }) : node;
  }
  if (node.op === "!_" || node.op === "-_") return Object.assign(node, { args: rewrite(node.args, isTrue) });
  if (!Array.isArray(node.args)) return node;
  const args = node.args.map((part: unknown) => (isNode(part) ? rewrite(part, isTrue) : part));
  return Object.assign(node, { args });
}

function isNode(part: unknown): part is ASTNode {
  return isRecord(part) && "op" in part;
}

function describeTypes(summary: string): string {
  const operands = /^no such overload: (\S+) (\S+) (\S+)$/.exec(summary);
  if (operands !== null) {
    const [, left = "", operator = "", right = ""] = operands;
    return `${operator} does not go between ${describeType(left)} and ${describeType(right)}.`;
  }
  return `${summary.replaceAll(/'([^']+)'/g, (_, type: string) => describeType(type))}.`;
}

function describeType(type: string): string {
  switch (type) {
    case "bool":
      return "true or false";
    case "double":
      return "a number";
    case "string":
      return "a text";
    default:
      return type.startsWith("list") ? "a list" : "a group of signals";
  }
}
