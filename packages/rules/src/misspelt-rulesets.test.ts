import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { isScalar, parseDocument, visit } from "yaml";
import { misspellings } from "../test/misspellings.ts";
import { type Catalogue, createCatalogue } from "./condition/catalogue.ts";
import { createCelEnvironment } from "./condition/cel-environment.ts";
import { readCondition } from "./condition/condition.ts";
import { loadRuleset } from "./index.ts";
import { fieldOfFact } from "./ruleset/facts.ts";
import { RulesetError } from "./ruleset/fault.ts";
import { FolderFiles } from "./ruleset/folder-files.ts";
import { readDraft, type RulesetDraft } from "./ruleset.ts";
import { finishSteps } from "./steps.ts";

const TIMEOUT_MS = 120_000;
const folder = new URL("../../../rulesets/", import.meta.url);
const paths = readdirSync(folder, { recursive: true, encoding: "utf8" });
// What lists hold is not what is misspelt here, and long ones are slow to read.
const files = new Map(
  paths.flatMap((path) => {
    if (/\.ya?ml$/.test(path)) return [[path, readFileSync(new URL(path, folder), "utf8")] as const];
    return path.endsWith(".txt") ? [[path, ""] as const] : [];
  }),
);
const rulesets = [...files.keys()].filter((path) => /^[^_/][^/]*\.ya?ml$/.test(path));

/** Words and keys that were misspelt already, in another ruleset. */
const seen = new Set<string>();

describe.each(rulesets)("a misspelling in %s", (path) => {
  const { names, conditions } = contentOf(path);
  const environment = createCelEnvironment(names);
  const isRead = (text: string) =>
    readCondition({ text, catalogue: names, fault: () => {} }, environment) !== undefined;

  test("of any name or value in a condition is refused", { timeout: TIMEOUT_MS }, () => {
    const accepted: string[] = [];
    for (const condition of conditions) {
      if (!isRead(condition)) accepted.push(`Refused as it is: ${condition}`);
      for (const { at, word } of wordsOf(condition, names)) {
        if (seen.has(word)) continue;
        seen.add(word);
        for (const wrong of misspellings(word)) {
          if (!isAnother(wrong, names) && isRead(condition.slice(0, at) + wrong + condition.slice(at + word.length))) {
            accepted.push(`${wrong} for ${word} in ${condition}`);
          }
        }
      }
    }
    expect(accepted).toEqual([]);
    expect(seen.size).toBeGreaterThan(0);
  });

  test("of any key is refused", { timeout: TIMEOUT_MS }, () => {
    const text = files.get(path) ?? "";
    const keys = keysOf(text).filter(({ kind }) => !seen.has(kind));
    for (const { kind } of keys) seen.add(kind);
    const accepted = keys.flatMap(({ at, key, siblings }) =>
      misspellings(key)
        .filter((wrong) => !siblings.includes(wrong))
        // One of each kind, at a place that depends on the key: a ruleset takes its time to load.
        .slice((key.length % 3) * 4, (key.length % 3) * 4 + 4)
        .filter((wrong) => isLoaded(path, text.slice(0, at) + wrong + text.slice(at + key.length)))
        .map((wrong) => `${wrong} for ${key}`),
    );
    expect(accepted).toEqual([]);
  });
});

/** The names that a ruleset knows with all its parts, and its conditions. */
function contentOf(path: string): { names: Catalogue; conditions: string[] } {
  const { content } = draftOf(path, files.get(path) ?? "");
  if (content === undefined) throw new Error(`${path} cannot be read.`);
  const { facts, lists, counters, rules } = content;
  const names = createCatalogue({
    facts: facts.map(fieldOfFact),
    lists,
    counters: counters.map(({ name }) => name),
    outcome: true,
  });
  const written = rules.flatMap(({ when, except }) => [when.text, ...(except === undefined ? [] : [except.text])]);
  return { names, conditions: [...written, ...wheresIn(files.get(path) ?? "")] };
}

function draftOf(path: string, text: string): RulesetDraft {
  return finishSteps(readDraft(text, { file: path, files: new FolderFiles("", files), nowMs: 0 }));
}

function wheresIn(text: string): string[] {
  const found: string[] = [];
  visit(parseDocument(text), {
    Pair: (_, { key, value }) => {
      if (isScalar(key) && key.value === "where" && isScalar(value) && typeof value.value === "string")
        found.push(value.value);
    },
  });
  return found;
}

// Names and functions, and texts that are one of the known values of a field.
function wordsOf(condition: string, { fields }: Catalogue): { at: number; word: string }[] {
  const values = new Set([...fields.values()].flatMap((field) => field.values ?? []));
  return [...condition.matchAll(/"(?<text>[^"]*)"|'(?<single>[^']*)'|[A-Za-z_]\w*(?:\.\w+)*/g)].flatMap((match) => {
    const text = match.groups?.["text"] ?? match.groups?.["single"];
    if (text === undefined) return [{ at: match.index, word: match[0] }];
    return values.has(text) ? [{ at: match.index + 1, word: text }] : [];
  });
}

// Another name that is known, and so no misspelling to anybody but its writer.
function isAnother(word: string, { fields, lists }: Catalogue): boolean {
  const isValue = [...fields.values()].some(({ values }) => values?.includes(word));
  return isValue || fields.has(word) || lists.has(word.replace(/^lists\./, ""));
}

/** Maps whose keys are names that the ruleset gives. */
const OWN_NAMES = new Set(["facts", "lists", "counters", "max_event_age_by_flow"]);

interface PlacedKey {
  readonly kind: string;
  readonly at: number;
  readonly key: string;
  readonly siblings: readonly string[];
}

// Each key once for each kind of map it stands in.
function keysOf(text: string): PlacedKey[] {
  const found = new Map<string, PlacedKey>();
  visit(parseDocument(text), {
    Map: (_, map, parents) => {
      const within = parents.flatMap((parent) =>
        "key" in parent && isScalar(parent.key) ? [String(parent.key.value)] : [],
      );
      const isOfNames = OWN_NAMES.has(within.at(-1) ?? "");
      const siblings = map.items.map(({ key }) => (isScalar(key) ? String(key.value) : ""));
      for (const { key } of map.items) {
        if (isOfNames || !isScalar(key) || key.range == null || typeof key.value !== "string") continue;
        // Of a named thing, its kind counts and not its name.
        const above = within.map((name, depth) => (OWN_NAMES.has(within[depth - 1] ?? "") ? "*" : name));
        const kind = [...above, key.value].join(".");
        found.set(kind, { kind, at: key.range[0], key: key.value, siblings });
      }
    },
  });
  return [...found.values()];
}

function isLoaded(path: string, text: string): boolean {
  try {
    loadRuleset(text, { file: path, files });
    return true;
  } catch (error) {
    if (error instanceof RulesetError) return false;
    throw error;
  }
}
