import type { Environment, ParseResult } from "@marcbachmann/cel-js";
import { describeParseFault, typeFault } from "./cel-fault.ts";
import type { Expression } from "./expression.ts";
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
  const parsed = parse(scope, environment);
  if (parsed === undefined) return undefined;
  const expression = readExpression(parsed.ast, scope);
  if (expression === undefined) return undefined;
  const fault = typeFault(parsed, expression, environment);
  if (fault !== undefined) {
    scope.fault(fault.at, fault.message);
    return undefined;
  }
  return checkValues(expression, scope) ? expression : undefined;
}

function parse(scope: ConditionScope, environment: Environment): ParseResult | undefined {
  try {
    return environment.parse(replaceWindowKeys(scope.text));
  } catch (error) {
    const { at, message } = describeParseFault(error, scope.text);
    scope.fault(at, message);
    return undefined;
  }
}
