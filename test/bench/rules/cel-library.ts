import { Environment } from "@marcbachmann/cel-js";
import { type BenchRule, type Clause, type Found, foundOf, leavesOf } from "./forty-rules.ts";
import type { Flat } from "./one-event.ts";

/**
 * The same conditions, evaluated by the CEL library itself, which throws at a signal that is absent. Its users can lay
 * the event over defaults (done here), guard each name with has(), which takes half as long again, or catch what every
 * rule throws, which takes five times as long.
 */
export function judgeByCelLibrary(rules: readonly BenchRule[], isTyped: boolean): (given: Flat) => Found {
  const environment = new Environment({ unlistedVariablesAreDyn: !isTyped });
  const defaults = defaultsOf(rules);
  if (isTyped) for (const [name, value] of Object.entries(defaults)) environment.registerVariable(name, typeOf(value));
  const conditions = rules.map((rule) => ({ rule, holds: environment.parse(celOf(rule.when)) }));
  return (given) => {
    const signals = laidOver(defaults, given);
    const hits: BenchRule[] = [];
    for (const { rule, holds } of conditions) if (holds(signals) === true) hits.push(rule);
    return foundOf(hits);
  };
}

/** A clause as CEL; Assay writes window keys with dots. */
export function celOf(clause: Clause, nameOf = indexed): string {
  if (typeof clause === "string") return nameOf(clause);
  if ("all" in clause) return clause.all.map((part) => celOf(part, nameOf)).join(" && ");
  if ("any" in clause) return clause.any.map((part) => celOf(part, nameOf)).join(" || ");
  if ("not" in clause) return `!${nameOf(clause.not)}`;
  const [path, op, value] = clause;
  return `${nameOf(path)} ${op} ${literal(value)}`;
}

function indexed(path: string): string {
  return path.replaceAll(/\.(\d\w*)/g, '["$1"]');
}

// Signals are doubles; a whole number would be an int, which compares more slowly.
function literal(value: string | number | readonly string[]): string {
  return typeof value === "number" && Number.isInteger(value) ? `${value}.0` : JSON.stringify(value);
}

interface Defaults {
  [key: string]: Defaults | string | number | boolean;
}

// For every signal a value that hits no rule.
function defaultsOf(rules: readonly BenchRule[]): Defaults {
  const defaults: Defaults = {};
  for (const { path, value } of rules.flatMap(({ when }) => leavesOf(when))) {
    const keys = path.split(".");
    const last = keys.pop() ?? "";
    let group = defaults;
    for (const key of keys) {
      const inner = group[key];
      group = typeof inner === "object" ? inner : (group[key] = {});
    }
    group[last] = value === undefined ? false : typeof value === "number" ? 0 : "";
  }
  return defaults;
}

function laidOver(defaults: Defaults, given: object): Record<string, unknown> {
  const laid: Record<string, unknown> = { ...defaults, ...given };
  for (const key in defaults) {
    const group = defaults[key];
    const inner = laid[key];
    if (typeof group === "object" && inner !== group && typeof inner === "object" && inner !== null) {
      laid[key] = laidOver(group, inner);
    }
  }
  return laid;
}

function typeOf(value: Defaults[string]): string {
  if (typeof value === "object") return "map";
  if (typeof value === "boolean") return "bool";
  return typeof value === "number" ? "double" : "string";
}
