import { isRecord } from "@assay/protocol";
import { type ASTNode, type Environment, ParseError } from "@marcbachmann/cel-js";
import type { Expression } from "./expression.ts";

/** A fault in a condition, by its offset. */
export interface ConditionFault {
  readonly at: number;
  readonly message: string;
}

/** Says what is wrong with a condition that the library could not parse, in CEL's spelling where another was meant. */
export function describeParseFault(error: unknown, text: string): ConditionFault {
  if (!(error instanceof ParseError)) throw error;
  const at = error.range?.start ?? 0;
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
    case "“":
    case "”":
    case "‘":
    case "’":
      return "Use straight quotes around a text.";
    case "":
      return /Expected R(?:PAREN|BRACKET|BRACE)/.test(error.summary)
        ? "A closing bracket is missing."
        : "The condition ends too early.";
  }
  const [character = ""] = text.slice(at);
  if (/^[\s\p{C}]$/u.test(character) && error.code === "unexpected_character") {
    const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    return `An invisible character stands here (U+${code}). Write a plain space.`;
  }
  switch (error.code) {
    case "unterminated_string":
      return "This text has no closing quote.";
    case "limit_exceeded":
      return "The condition is too large or nested too deeply.";
    default:
      return describeUnread(error.summary, text.slice(at));
  }
}

function describeUnread(summary: string, rest: string): string {
  const escape = /^Invalid escape sequence: (\\.)/.exec(summary)?.[1];
  if (escape !== undefined) return `In a text a backslash is written twice: \\${escape}.`;
  if (rest.startsWith("#")) return "A comment stands above the rule, not in its condition.";
  const character = rest.codePointAt(0) ?? 0;
  if (character > 127) {
    const code = character.toString(16).toUpperCase().padStart(4, "0");
    return `Here is U+${code}, which may look like another character. Type this part anew.`;
  }
  const isMissingJoin = /^[A-Za-z0-9"'(]/.test(rest) && summary.startsWith("Unexpected character");
  return isMissingJoin
    ? "Something is missing before this, such as && or ||."
    : `The condition cannot be read here: ${summary}.`;
}

/**
 * What the library's type checker says against a condition, if anything. `text` is the condition as the library may
 * read it, `tree` what it made of it.
 */
export function typeFault(
  text: string,
  tree: ASTNode,
  expression: Expression,
  environment: Environment,
): ConditionFault | undefined {
  // A condition that is nothing but has(x) is a boolean.
  if (expression.kind === "has") return undefined;
  const parsed = environment.parse(withoutHas(text, tree));
  makeDoubles(parsed.ast);
  const { error, type } = parsed.check();
  if (error !== undefined) {
    return { at: error.range?.start ?? 0, message: describeTypes(error.summary) };
  }
  if (type === "bool") return undefined;
  const hint =
    type === "double" || type === "string" ? "compare it with something" : "name one of its fields, or ask has()";
  return { at: 0, message: `A condition must be true or false, but this is ${describeType(type ?? "")}: ${hint}.` };
}

// `has()` is always a boolean of a known name; the library would refuse it of a name without a dot.
function withoutHas(text: string, node: ASTNode): string {
  if (node.op === "call" && node.args[0] === "has") {
    return text.slice(0, node.start) + "true".padEnd(node.end - node.start) + text.slice(node.end);
  }
  return nodesIn(node.args).reduce(withoutHas, text);
}

// One number type: whole numbers become doubles, as all signals are.
function makeDoubles(node: ASTNode): void {
  if (node.op === "value" && typeof node.args === "bigint") Object.assign(node, { args: Number(node.args) });
  for (const part of nodesIn(node.args)) makeDoubles(part);
}

function nodesIn(args: unknown): ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(nodesIn);
  return isNode(args) ? [args] : [];
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
  const operand = /^no such overload: ([!-])(\S+)$/.exec(summary);
  if (operand !== null) return `${operand[1]} does not stand before ${describeType(operand[2] ?? "")}.`;
  const predicate = /^(\w+)\(var, predicate\) predicate must return bool, got '(.+)'$/.exec(summary);
  if (predicate !== null) {
    return `What stands in ${predicate[1]}() must be true or false, but this is ${describeType(predicate[2] ?? "")}.`;
  }
  const call = /^found no matching overload for '(?:(\S+)\.)?(\w+)\(([^']*)\)'$/.exec(summary);
  if (call !== null) {
    const [, receiver, name = "", given = ""] = call;
    return `${name}() does not take ${describeType(receiver ?? given)}.`;
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
