import type { Environment } from "@marcbachmann/cel-js";
import { isScalar, type Scalar } from "yaml";
import type { Catalogue } from "../condition/catalogue.ts";
import { readCondition } from "../condition/condition.ts";
import type { Expression } from "../condition/expression.ts";
import type { FaultList } from "./fault.ts";
import { quotingAdvice } from "./quoting-advice.ts";
import { scalarPositions } from "./scalar-position.ts";
import type { Entry } from "./yaml-entries.ts";

/** What reading the conditions of one text needs. */
export interface ConditionEntryScope {
  readonly catalogue: Catalogue;
  readonly environment: Environment;
  readonly faults: FaultList;
}

/** Names what is wrong with a condition in its place; whether nothing is. */
type Check = (expression: Expression, fault: (at: number, message: string) => void) => boolean;

/**
 * Reads the condition that an entry holds: `when`, `except` or `where`. Undefined, with faults, when it is none or does
 * not pass the check.
 */
export function readConditionEntry(
  entry: Entry,
  { catalogue, environment, faults }: ConditionEntryScope,
  check: Check = () => true,
): Expression | undefined {
  const scalar = entry.value;
  if (!isScalar(scalar)) {
    const advice = quotingAdvice(faults.lineAt(entry.nameAt));
    faults.add(entry.valueAt, `A condition must be one text.${advice}`);
    return undefined;
  }
  const text = conditionText(scalar);
  const positionOf = scalarPositions(faults.text, scalar, text);
  const isCut = scalar.type === "PLAIN" && scalar.comment !== undefined && scalar.comment !== null;
  // `bot == "a #1"` ends at the # for YAML, which the condition's writer may not see.
  const quoting = quotingAdvice(faults.lineAt(entry.nameAt));
  const advice = isCut
    ? ` To YAML, all after # is a comment.${quoting}`
    : isSplit(scalar, text, faults)
      ? ` To YAML, a text in braces ends at a comma.${quoting}`
      : "";
  const fault = (at: number, message: string) => faults.add(positionOf(at), message + advice);
  const expression = readCondition({ text, catalogue, fault }, environment);
  return expression !== undefined && check(expression, fault) ? expression : undefined;
}

/** A condition as a part of another one. A comment in it ends with its line. */
export function bracketed(condition: string): string {
  const text = condition.trim();
  return text.includes("//") ? `(${text}\n)` : `(${text})`;
}

/** The text of a condition, which the offsets in it are about. */
export function conditionText({ value, source }: Scalar.Parsed): string {
  // A condition such as `true` is no text to YAML; what was written is.
  return typeof value === "string" ? value : (source ?? "");
}

// `{ when: labels.exists(l, l.prediction) }` is two entries to YAML.
function isSplit({ type, range }: Scalar.Parsed, text: string, faults: FaultList): boolean {
  const count = (bracket: string) => text.split(bracket).length;
  return type === "PLAIN" && /^\s*,/.test(faults.text.slice(range[1], range[1] + 80)) && count("(") > count(")");
}
