import type { ASTNode, Environment } from "@marcbachmann/cel-js";
import { type ConditionFault, describeParseFault, typeFault } from "./cel-fault.ts";
import { costOf } from "./cost.ts";
import { foreignFaults } from "./dialect.ts";
import type { Expression } from "./expression.ts";
import { MAX_COST_NS } from "./limits.ts";
import { checkReachable } from "./never-true.ts";
import { checkValues } from "./value-check.ts";
import type { ConditionScope } from "./condition-scope.ts";
import { readExpression } from "./read-expression.ts";
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
  const expression = understand(scope, environment);
  if (expression === undefined) return undefined;
  // First, so that no more patterns are compiled than a condition may ask for.
  const isSound = checkCost(expression, scope) && checkValues(expression, scope) && checkReachable(expression, scope);
  return isSound ? expression : undefined;
}

// What is not understood may be of another language, whose writer is told how this one says it.
function understand(scope: ConditionScope, environment: Environment): Expression | undefined {
  const text = replaceWindowKeys(scope.text);
  const tree = parse(text, environment);
  if ("message" in tree) return refuse([], tree, scope);
  const faults: ConditionFault[] = [];
  const fault = (at: number, message: string) => faults.push({ at, message });
  const expression = readExpression(tree, { ...scope, fault });
  if (expression === undefined) return refuse(faults, undefined, scope);
  const mistyped = typeFault(text, tree, expression, environment);
  return mistyped === undefined ? expression : refuse([], mistyped, scope);
}

// A fault that hides all others stands back where a foreign word explains it.
function refuse(faults: readonly ConditionFault[], only: ConditionFault | undefined, scope: ConditionScope): undefined {
  const foreign = foreignFaults(scope.text);
  const others = faults.filter(({ at }) => foreign.every(({ start, end }) => at < start || at >= end));
  const told = only !== undefined && foreign.length === 0 ? [only] : [...foreign, ...others];
  for (const { at, message } of told) scope.fault(at, message);
  return undefined;
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

function parse(text: string, environment: Environment): ASTNode | ConditionFault {
  try {
    return environment.parse(text).ast;
  } catch (error) {
    return describeParseFault(error, text);
  }
}
