import { Engine, type NestedCondition } from "json-rules-engine";
import { type BenchRule, type Clause, type Comparison, type Found, foundOf } from "./forty-rules.ts";
import type { Flat } from "./one-event.ts";

const OPERATORS = { "==": "equal", "!=": "notEqual", "<": "lessThan", ">": "greaterThan" } as const satisfies Record<
  Comparison,
  string
>;

/** The same rules for json-rules-engine: roots are facts, signals are looked up by path, absent facts are allowed. */
export function judgeByJsonRules(rules: readonly BenchRule[]): (signals: Flat) => Promise<Found> {
  const engine = new Engine([], { allowUndefinedFacts: true });
  const byId = new Map(rules.map((rule) => [rule.id, rule]));
  for (const { id, when } of rules) {
    const condition = conditionOf(when);
    const conditions = "all" in condition || "any" in condition ? condition : { all: [condition] };
    engine.addRule({ conditions, event: { type: id } });
  }
  return async (signals) => {
    const { events } = await engine.run({ ...signals });
    return foundOf(events.flatMap(({ type }) => byId.get(type) ?? []));
  };
}

function conditionOf(clause: Clause): NestedCondition {
  if (typeof clause === "string") return { ...factOf(clause), operator: "equal", value: true };
  if ("all" in clause) return { all: clause.all.map(conditionOf) };
  if ("any" in clause) return { any: clause.any.map(conditionOf) };
  if ("not" in clause) return { ...factOf(clause.not), operator: "equal", value: false };
  const [path, op, value] = clause;
  return { ...factOf(path), operator: op === "in" ? "in" : OPERATORS[op], value };
}

function factOf(path: string): { fact: string; path?: string } {
  const [fact = "", ...keys] = path.split(".");
  return keys.length === 0 ? { fact } : { fact, path: `$${keys.map((key) => `['${key}']`).join("")}` };
}
