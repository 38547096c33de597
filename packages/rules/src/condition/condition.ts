import type { ASTNode, Environment } from "@marcbachmann/cel-js";
import { describeParseFault, typeFault } from "./cel-fault.ts";
import { costOf } from "./cost.ts";
import type { Expression } from "./expression.ts";
import { MAX_COST_NS } from "./limits.ts";
import { checkReachable } from "./never-true.ts";
import { checkValues } from "./value-check.ts";
import { type ConditionScope, readExpression } from "./read-expression.ts";
import { replaceWindowKeys } from "./window-keys.ts";

const MAX_BYTES = 4096;

/**
 * Reads one condition: parsed and type-checked by the CEL library, narrowed to what rulesets use, its literals checked
 * against the values that fields can take. Undefined, with faults, when anything is wrong with it.
 */
export function readCondition(scope: ConditionScope, environment: Environment): Expression | undefined {
  if (scope.text.trim() === "") {
    scope.fault(0, "The condition is empty.");
    return undefined;
  }
  if (Buffer.byteLength(scope.text) > MAX_BYTES) {
    scope.fault(0, `A condition may take at most ${MAX_BYTES} bytes.`);
    return undefined;
  }
  const text = replaceWindowKeys(scope.text);
  const tree = parse(text, scope, environment);
  if (tree === undefined) return undefined;
  const expression = readExpression(tree, scope);
  if (expression === undefined) return undefined;
  const fault = typeFault(text, tree, expression, environment);
  if (fault !== undefined) {
    scope.fault(fault.at, fault.message);
    return undefined;
  }
  const isSound = checkValues(expression, scope) && checkReachable(expression, scope) && checkCost(expression, scope);
  return isSound ? expression : undefined;
}

function checkCost(expression: Expression, scope: ConditionScope): boolean {
  const costNs = costOf(expression, scope.catalogue.lists);
  if (costNs <= MAX_COST_NS) return true;
  scope.fault(
    0,
    `This condition may take too long: ${(costNs / 1e6).toFixed(1)} ms of at most ${MAX_COST_NS / 1e6} ms for the worst ` +
      "event. Join tests of one text into one matches(), or make two rules of it.",
  );
  return false;
}

function parse(text: string, scope: ConditionScope, environment: Environment): ASTNode | undefined {
  try {
    return environment.parse(text).ast;
  } catch (error) {
    const { at, message } = describeParseFault(error, scope.text);
    scope.fault(at, message);
    return undefined;
  }
}
