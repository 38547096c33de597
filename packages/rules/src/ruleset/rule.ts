import { ACTIONS, type Action } from "@assay/protocol";
import type { ParsedNode } from "yaml";
import type { Expression } from "../condition/expression.ts";
import { type ConditionEntryScope, readConditionEntry } from "./condition-entry.ts";
import { readChoice, readEntries, readNumber, readText, refuseUnknown } from "./yaml-entries.ts";

/** One rule as it was loaded. */
export interface Rule {
  readonly id: string;
  readonly condition: Expression;
  /** −100 to 100, added to the decision's score by a hit. */
  readonly score?: number;
  readonly action?: Action;
  readonly message?: string;
  /** What an unknown condition does: nothing, or an action other than allow. Default `skip`. */
  readonly whenUnknown: "skip" | Exclude<Action, "allow">;
}

const KEYS = ["id", "when", "score", "action", "message", "when_unknown"];
const LATER_KEYS = ["mode", "except", "rollout", "owner", "review_by", "tags"];

/** Reads one item of `rules:`. Undefined, with faults, when it cannot be used. */
export function readRule(node: ParsedNode, scope: ConditionEntryScope): Rule | undefined {
  const { faults } = scope;
  const at = node.range[0];
  const entries = readEntries(node, at, "a rule", faults);
  refuseUnknown(entries, "a rule", KEYS, LATER_KEYS, faults);
  const named = (name: string) => entries.find((entry) => entry.name === name);
  const [idEntry, when, score, action, message, whenUnknown] = KEYS.map(named);
  const id = idEntry && readText(idEntry, /^[a-z0-9_-]{1,64}$/, "1 to 64 characters of a-z, 0-9, _ and -", faults);
  const rule = {
    condition: when && readConditionEntry(when, scope),
    score: score && readNumber(score, -100, 100, faults),
    action: action && readChoice(action, ACTIONS, faults),
    message: message && readText(message, /^.{1,256}$/, "one line of at most 256 characters", faults),
    whenUnknown: whenUnknown && readChoice(whenUnknown, ["skip", "challenge", "review", "block"], faults),
  };
  if (idEntry === undefined) faults.add(at, "A rule needs an id.");
  if (when === undefined) faults.add(at, "A rule needs a condition: when.");
  if (score === undefined && action === undefined) faults.add(at, "A rule needs a score or an action, or both.");
  if (id === undefined || rule.condition === undefined) return undefined;
  return {
    id,
    condition: rule.condition,
    whenUnknown: rule.whenUnknown ?? "skip",
    ...(rule.score === undefined ? {} : { score: rule.score }),
    ...(rule.action === undefined ? {} : { action: rule.action }),
    ...(rule.message === undefined ? {} : { message: rule.message }),
  };
}
