import { ZenEngine } from "@gorules/zen-engine";
import { type BenchRule, type Clause, type Found, foundOf } from "./forty-rules.ts";
import type { Flat } from "./one-event.ts";

const position = { x: 0, y: 0 };

/** The same rules for Zen: one graph whose only step holds all conditions, which is faster than one call for each. */
export function judgeByZen(rules: readonly BenchRule[]): (signals: Flat) => Promise<Found> {
  const expressions = rules.map(({ id, when }) => ({ id, key: id, value: zenOf(when) }));
  const decision = new ZenEngine().createDecision({
    nodes: [
      { id: "in", type: "inputNode", name: "in", position },
      { id: "rules", type: "expressionNode", name: "rules", position, content: { expressions } },
      { id: "out", type: "outputNode", name: "out", position },
    ],
    edges: [
      { id: "first", sourceId: "in", targetId: "rules", type: "edge" },
      { id: "second", sourceId: "rules", targetId: "out", type: "edge" },
    ],
  });
  return async (signals) => {
    const { result } = await decision.evaluate(signals);
    return foundOf(rules.filter(({ id }) => result[id] === true));
  };
}

function zenOf(clause: Clause): string {
  if (typeof clause === "string") return `${nameOf(clause)} == true`;
  if ("all" in clause) return clause.all.map(zenOf).join(" and ");
  if ("any" in clause) return clause.any.map(zenOf).join(" or ");
  if ("not" in clause) return `${nameOf(clause.not)} == false`;
  const [path, op, value] = clause;
  // To order what is absent is an error there.
  const name = op === "<" || op === ">" ? `(${nameOf(path)} ?? 0)` : nameOf(path);
  return `${name} ${op} ${JSON.stringify(value)}`;
}

function nameOf(path: string): string {
  return path.replaceAll(/\.(\d\w*)/g, '["$1"]');
}
