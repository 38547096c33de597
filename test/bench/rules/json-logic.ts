import { LogicEngine } from "json-logic-engine";
import { type BenchRule, type Clause, type Found, foundOf } from "./forty-rules.ts";
import type { Flat } from "./one-event.ts";

/** The same rules for json-logic-engine, each built to a function once. What is absent is null there, and so false. */
export function judgeByJsonLogic(rules: readonly BenchRule[]): (signals: Flat) => Found {
  const engine = new LogicEngine();
  const built = rules.map((rule) => ({ rule, holds: engine.build(logicOf(rule.when)) }));
  return (signals) => {
    const hits: BenchRule[] = [];
    for (const { rule, holds } of built) if (holds(signals) === true) hits.push(rule);
    return foundOf(hits);
  };
}

function logicOf(clause: Clause): object {
  if (typeof clause === "string") return { "===": [{ var: clause }, true] };
  if ("all" in clause) return { and: clause.all.map(logicOf) };
  if ("any" in clause) return { or: clause.any.map(logicOf) };
  if ("not" in clause) return { "===": [{ var: clause.not }, false] };
  const [path, op, value] = clause;
  return { [op === "==" ? "===" : op === "!=" ? "!==" : op]: [{ var: path }, value] };
}
