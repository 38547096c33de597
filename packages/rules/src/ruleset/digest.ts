import { createHash } from "node:crypto";
import { canonicalJson } from "@assay/protocol";
import { canonicalRule } from "./rule.ts";
import type { RulesetContent } from "./ruleset-content.ts";

/**
 * 16 hexadecimal digits that stand for all that can change a decision. Comments, spacing, the order of rules, which file
 * something stands in, tests, the candidate and who looks after a rule are no part.
 */
export function digestOf(content: RulesetContent, engine: string): string {
  const { nameAt: _, candidate: __, tests: ___, ...decisive } = content;
  const { settings, rules, facts, lists, counters } = decisive;
  const canonical = canonicalJson({
    ...decisive,
    engine,
    settings: { ...settings, maxEventAgeMsByFlow: Object.fromEntries(settings.maxEventAgeMsByFlow) },
    integrity: Object.fromEntries(content.integrity),
    undecided: Object.fromEntries(content.undecided),
    expose: content.expose.map(({ path }) => path),
    facts: facts.toSorted(byName),
    lists: lists.map(({ name, type, digest }) => ({ name, type, digest })).toSorted(byName),
    counters: counters.map(({ name, definition }) => ({ name, definition })).toSorted(byName),
    rules: rules.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map(canonicalRule),
  });
  return createHash("sha256").update(canonical).digest("hex").slice(0, 16);
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1;
}
