import { createHash } from "node:crypto";
import { canonicalJson } from "@assay/protocol";
import { isScalar, type ParsedNode } from "yaml";
import { type Catalogue, createCatalogue, type Field } from "../condition/catalogue.ts";
import { createCelEnvironment } from "../condition/cel-environment.ts";
import { parseRulesetYaml } from "./document.ts";
import { canonicalExpression } from "../condition/expression.ts";
import { readFacts } from "./facts.ts";
import type { FaultList } from "./fault.ts";
import { type Integrity, readIntegrity } from "./integrity.ts";
import { readRule, type Rule } from "./rule.ts";
import { readSettings, type Settings } from "./settings.ts";
import { readThresholds, type Threshold } from "./thresholds.ts";
import { readUndecidedActions, type UndecidedActions } from "./undecided-actions.ts";
import { type Entry, readChoice, readEntries, readItems, readText, readTexts, refuseUnknown } from "./yaml-entries.ts";

/** All that a ruleset's text says, defaults filled in. */
export interface RulesetContent {
  readonly name: string;
  readonly mode: "enforce" | "observe";
  readonly settings: Settings;
  readonly facts: readonly Field[];
  readonly thresholds: readonly Threshold[];
  readonly integrity: Integrity;
  readonly undecided: UndecidedActions;
  readonly expose: readonly Field[];
  readonly rules: readonly Rule[];
}

const KEYS = ["ruleset", "mode", "settings", "facts", "thresholds", "integrity", "undecided", "expose", "rules"];
const LATER_KEYS = ["counters", "lists", "tests", "include", "candidate"];

/** Reads a ruleset's text. Faults go to the list; what is returned counts only when there are none. */
export function readContent(text: string, faults: FaultList): RulesetContent | undefined {
  const root = parseRulesetYaml(text, faults);
  if (root === undefined) return undefined;
  const entries = readEntries(root, 0, "a ruleset", faults);
  refuseUnknown(entries, "a ruleset", KEYS, LATER_KEYS, faults);
  const named = (name: string) => entries.find((entry) => entry.name === name);
  const name = named("ruleset");
  if (name === undefined) faults.add(0, "A ruleset needs a name: ruleset: <name>");
  const mode = named("mode");
  const facts = readFacts(named("facts"), faults);
  const catalogue = createCatalogue(facts);
  const namePattern = /^[a-z0-9_-]{1,64}$/;
  return {
    name: (name && readText(name, namePattern, "1 to 64 characters of a-z, 0-9, _ and -", faults)) ?? "",
    mode: (mode && readChoice(mode, ["enforce", "observe"], faults)) ?? "enforce",
    settings: readSettings(named("settings"), faults),
    facts,
    thresholds: readThresholds(named("thresholds"), faults),
    integrity: readIntegrity(named("integrity"), faults),
    undecided: readUndecidedActions(named("undecided"), faults),
    expose: readExpose(named("expose"), catalogue, faults),
    rules: readRules(named("rules"), catalogue, faults),
  };
}

function readRules(entry: Entry | undefined, catalogue: Catalogue, faults: FaultList): Rule[] {
  if (entry === undefined) return [];
  const environment = createCelEnvironment(catalogue);
  const ids = new Set<string>();
  return readItems(entry, faults).flatMap((item) => {
    const rule = readRule(item, { catalogue, environment, faults });
    if (rule === undefined) return [];
    if (ids.has(rule.id)) faults.add(idOffset(item), `The id ${rule.id} is used by an earlier rule.`);
    ids.add(rule.id);
    return [rule];
  });
}

function idOffset(rule: ParsedNode): number {
  const id =
    "items" in rule
      ? rule.items.find((pair) => "key" in pair && isScalar(pair.key) && pair.key.value === "id")
      : undefined;
  const value = id !== undefined && "key" in id ? id.value : undefined;
  return value?.range[0] ?? rule.range[0];
}

function readExpose(entry: Entry | undefined, catalogue: Catalogue, faults: FaultList): Field[] {
  if (entry === undefined) return [];
  return readTexts(entry, faults).flatMap(({ text: path, at }): Field[] => {
    const field = catalogue.field(path);
    if (field?.root !== "event") {
      const meant = catalogue.suggest(path);
      const fix = meant === undefined ? "Expose takes names of the event's fields." : `Did you mean ${meant}?`;
      faults.add(at, `${path} is not a signal. ${fix}`);
      return [];
    }
    if (field.type !== "object" && field.type !== "array") return [field];
    faults.add(at, `${path} is a group of signals. Expose single ones, by their full names.`);
    return [];
  });
}

/** 16 hexadecimal digits that stand for what a ruleset says; comments, spacing and the order of rules are no part. */
export function digestOf(content: RulesetContent, engine: string): string {
  const { settings, rules } = content;
  const canonical = canonicalJson({
    ...content,
    engine,
    settings: { ...settings, maxEventAgeMsByFlow: Object.fromEntries(settings.maxEventAgeMsByFlow) },
    integrity: Object.fromEntries(content.integrity),
    undecided: Object.fromEntries(content.undecided),
    expose: content.expose.map(({ path }) => path),
    facts: content.facts.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    rules: rules
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .map((rule) => ({ ...rule, condition: canonicalExpression(rule.condition) })),
  });
  return createHash("sha256").update(canonical).digest("hex").slice(0, 16);
}
