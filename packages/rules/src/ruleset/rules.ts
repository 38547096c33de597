import { isScalar, type ParsedNode } from "yaml";
import { Names } from "./names.ts";
import { entriesNamed, type Part } from "./part.ts";
import { readRule, type Rule, type RuleScope } from "./rule.ts";
import { readItems } from "./yaml-entries.ts";

/** Reads `rules:` of all parts, in their order. `isWhole` tells whether each could be read. */
export function readRules(
  parts: readonly Part[],
  scope: Omit<RuleScope, "faults">,
): { rules: Rule[]; isWhole: boolean } {
  const ids = new Names("rule");
  let isWhole = true;
  const rules = entriesNamed(parts, "rules").flatMap(({ entry, faults }) =>
    readItems(entry, faults).flatMap((item): Rule[] => {
      const rule = readRule(item, { ...scope, faults });
      if (rule !== undefined && ids.take(rule.id, idOffset(item), faults)) return [rule];
      isWhole = false;
      return [];
    }),
  );
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
