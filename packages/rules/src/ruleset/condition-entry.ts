import type { Environment } from "@marcbachmann/cel-js";
import { isScalar } from "yaml";
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

/** Reads the condition that an entry holds: `when`, `except` or `where`. Undefined, with faults, when it is none. */
export function readConditionEntry(
  entry: Entry,
  { catalogue, environment, faults }: ConditionEntryScope,
): Expression | undefined {
  const scalar = entry.value;
  if (!isScalar(scalar)) {
    const advice = quotingAdvice(faults.lineAt(entry.nameAt));
    faults.add(entry.valueAt, `A condition must be one text.${advice}`);
    return undefined;
  }
  // A condition such as `true` is no text to YAML; what was written is.
  const text = typeof scalar.value === "string" ? scalar.value : (scalar.source ?? "");
  const positionOf = scalarPositions(faults.text, scalar, text);
  const isCut = scalar.type === "PLAIN" && scalar.comment !== undefined && scalar.comment !== null;
  // `bot == "a #1"` ends at the # for YAML, which the condition's writer may not see.
  const advice = isCut ? ` To YAML, all after # is a comment.${quotingAdvice(faults.lineAt(entry.nameAt))}` : "";
  const fault = (at: number, message: string) => faults.add(positionOf(at), message + advice);
  return readCondition({ text, catalogue, fault }, environment);
}
