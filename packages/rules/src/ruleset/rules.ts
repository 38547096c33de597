import { isScalar, type ParsedNode } from "yaml";
import type { Steps } from "../steps.ts";
import { Names } from "./names.ts";
import { entriesNamed, type Part } from "./part.ts";
import { readRule, type Rule, type RuleScope } from "./rule.ts";
import { readItems } from "./yaml-entries.ts";

/** Reads `rules:` of all parts, in their order, one a step. `isWhole` tells whether each could be read. */
export function* readRules(
  parts: readonly Part[],
  scope: Omit<RuleScope, "faults">,
): Steps<{ rules: Rule[]; isWhole: boolean }> {
  const ids = new Names("rule");
  const rules: Rule[] = [];
  let isWhole = true;
  for (const { entry, faults } of entriesNamed(parts, "rules")) {
    for (const item of readItems(entry, faults)) {
      const rule = readRule(item, { ...scope, faults });
      if (rule !== undefined && ids.take(rule.id, idOffset(item), faults)) rules.push(rule);
      else isWhole = false;
      yield;
    }
  }
  return { rules, isWhole };
}

function idOffset(rule: ParsedNode): number {
  const id =
    "items" in rule
      ? rule.items.find((pair) => "key" in pair && isScalar(pair.key) && pair.key.value === "id")
      : undefined;
  const value = id !== undefined && "key" in id ? id.value : undefined;
  return value?.range[0] ?? rule.range[0];
}
