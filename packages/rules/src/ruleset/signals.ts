import type { Field } from "../condition/catalogue.ts";
import { type Expression, partsOf } from "../condition/expression.ts";
import type { RulesetContent } from "./ruleset-content.ts";

/**
 * The signals of an event that rules and counters need, by path, with the names of those that need each. Rules that are
 * off need nothing; who asks by `has()` alone does well without.
 */
export function signalsOf({ rules, counters }: Pick<RulesetContent, "rules" | "counters">): Map<string, string[]> {
  const needed = new Map<string, string[]>();
  const add = (name: string, fields: readonly Field[]) => {
    for (const { path, root } of fields) {
      const names = needed.get(path) ?? [];
      if (root === "event" && !names.includes(name)) needed.set(path, [...names, name]);
    }
  };
  for (const { id, mode, condition } of rules) if (mode !== "off") add(id, fieldsIn(condition));
  for (const { name, key, distinct, where } of counters) {
    const fields = [
      ...key,
      ...(distinct === undefined ? [] : [distinct]),
      ...(where === undefined ? [] : fieldsIn(where)),
    ];
    add(`counters.${name}`, fields);
  }
  return needed;
}

function fieldsIn(expression: Expression): Field[] {
  const isNeeded = "field" in expression && expression.kind !== "has";
  return [...(isNeeded ? [expression.field] : []), ...partsOf(expression).flatMap(fieldsIn)];
}
