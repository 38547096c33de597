import { assume, isJoint } from "./assume.ts";
import { type Expression, partsOf } from "./expression.ts";
import { type Facts, isContradiction, NOTHING, type Told } from "./facts.ts";
import type { ConditionScope } from "./condition-scope.ts";
import { describeAlways, describeLiterals, describeNever } from "./unreachable-message.ts";

/** A clause that can never be of one value: of both if it compares nothing that can change. */
export interface Unreachable {
  readonly clause: Expression;
  readonly value: boolean;
  /** It is never of that value while these hold, or do not. */
  readonly within: readonly Told[];
  readonly message: (text: string) => string;
}

/**
 * Whether every clause of a well-typed condition can be true and false, as far as what stands beside it, the limits of
 * its fields and the platforms that have them tell. Records a fault for each that cannot.
 */
export function checkReachable(expression: Expression, scope: ConditionScope): boolean {
  const found = findUnreachable(expression);
  for (const { clause, message } of found) scope.fault(clause.at, message(scope.text));
  return found.length === 0;
}

/** The clauses that cannot be of both values. A condition that is nothing but `true` stands for every event. */
export function findUnreachable(expression: Expression): Unreachable[] {
  if (expression.kind === "literal" && expression.value === true) return [];
  const alone = unreachableAlone(expression);
  return alone.length > 0 ? alone : unreachableWithin(expression, true, NOTHING, [{ clause: expression, holds: true }]);
}

// Parts first, so that the fault stands at the smallest clause.
function unreachableAlone(expression: Expression): Unreachable[] {
  const inParts = partsOf(expression).flatMap((part) => (part.kind === "literal" ? [] : unreachableAlone(part)));
  if (inParts.length > 0 || !isClause(expression)) return inParts;
  if (!isJoint(expression) && !hasName(expression)) {
    return [{ clause: expression, value: false, within: [], message: (text) => describeLiterals(expression, text) }];
  }
  const hit = assume(expression, true, NOTHING);
  if (isContradiction(hit)) return unreachableWithin(expression, true, NOTHING, [{ clause: expression, holds: true }]);
  const miss = assume(expression, false, NOTHING);
  // Where a signal cannot be present a clause is unknown, which is not to be always true.
  if (!isContradiction(miss) || miss.about === "platform") return [];
  const at = isJoint(expression) ? miss.ground.clause : expression;
  return [{ clause: expression, value: false, within: [], message: (text) => describeAlways(at, miss, text) }];
}

/**
 * The clauses that contradict what is known where they stand. Of alternatives each must be possible; of what is denied
 * it is enough that one is, as `!(vpn && proxy)` is right beside `vpn`.
 */
function unreachableWithin(
  expression: Expression,
  wanted: boolean,
  facts: Facts,
  within: readonly Told[],
): Unreachable[] {
  const inParts = partsWithin(expression, wanted, facts, within);
  const result = assume(expression, wanted, facts);
  if (inParts.length > 0 || !isContradiction(result)) return inParts;
  return [
    { clause: expression, value: wanted, within, message: (text) => describeNever(expression, wanted, result, text) },
  ];
}

function partsWithin(expression: Expression, wanted: boolean, facts: Facts, within: readonly Told[]): Unreachable[] {
  switch (expression.kind) {
    case "not":
      return isJoint(expression.operand) ? unreachableWithin(expression.operand, !wanted, facts, within) : [];
    case "all":
    case "any": {
      if ((expression.kind === "all") === wanted) return withinEach(expression.operands, wanted, facts, within);
      if (!wanted && !isContradiction(assume(expression, wanted, facts))) return [];
      const clauses = expression.operands.filter(({ kind }) => kind !== "literal");
      return clauses.flatMap((operand) =>
        unreachableWithin(operand, wanted, facts, [...within, { clause: operand, holds: wanted }]),
      );
    }
    case "choose":
      return [expression.yes, expression.no].flatMap((branch, index) => {
        const chosen = assume(expression.condition, index === 0, facts);
        const isOpen = branch.kind === "literal" || isContradiction(chosen);
        const taken = { clause: expression.condition, holds: index === 0 };
        return isOpen ? [] : unreachableWithin(branch, wanted, chosen, [...within, taken]);
      });
    case "literal":
    case "field":
    case "has":
    case "negate":
    case "compare":
    case "arithmetic":
    case "in":
    case "age":
    case "lower":
    case "text":
    case "listed":
    case "includes":
    case "each":
      return [];
  }
}

function withinEach(
  operands: readonly Expression[],
  wanted: boolean,
  facts: Facts,
  within: readonly Told[],
): Unreachable[] {
  let known = facts;
  for (const operand of operands) {
    const next = assume(operand, wanted, known);
    if (isContradiction(next)) return unreachableWithin(operand, wanted, known, within);
    known = next;
  }
  return operands.flatMap((operand) => unreachableWithin(operand, wanted, known, within));
}

// What is true or false and not just a value: there is nothing to find about a signal alone.
function isClause(expression: Expression): boolean {
  switch (expression.kind) {
    case "literal":
    case "field":
    case "negate":
    case "arithmetic":
    case "age":
    case "lower":
      return false;
    case "choose":
      return [expression.yes, expression.no].some((branch) => isClause(branch) || isBoolean(branch));
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
      return true;
  }
}

function isBoolean(expression: Expression): boolean {
  if (expression.kind === "literal") return typeof expression.value === "boolean";
  return expression.kind === "field" && expression.field.type === "boolean";
}

function hasName(expression: Expression): boolean {
  return "field" in expression || partsOf(expression).some(hasName);
}
