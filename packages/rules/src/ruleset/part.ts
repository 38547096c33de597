import type { ParsedNode } from "yaml";
import { parseYaml } from "./document.ts";
import { FaultList, type Faults } from "./fault.ts";
import type { FolderFiles, PartFile } from "./folder-files.ts";
import { type Entry, isEmptyValue, readEntries, readTexts, refuseUnknown } from "./yaml-entries.ts";

/** One text of a ruleset by its top-level keys: its own file, or a part that it includes. */
export interface Part {
  readonly faults: FaultList;
  readonly entries: readonly Entry[];
}

/** An entry, and the faults of the file it stands in. */
export interface PartEntry {
  readonly entry: Entry;
  readonly faults: FaultList;
}

/** What a part may hold. */
export const PART_KEYS = ["facts", "lists", "counters", "rules", "tests"] as const;
/** What a ruleset may hold. */
export const RULESET_KEYS = [
  "ruleset",
  "mode",
  "candidate",
  "include",
  "settings",
  "thresholds",
  "integrity",
  "undecided",
  "expose",
  ...PART_KEYS,
] as const;
type PartKey = (typeof PART_KEYS)[number];

export const PART_PATH = /^_[^/]+\.ya?ml$/;
const ROUTES_PATH = /^_routes\.ya?ml$/;

/** Reads the parts that `include:` names, in its order. */
export function readIncludes(
  entry: Entry | undefined,
  own: FaultList,
  { files, faults }: { files: FolderFiles; faults: Faults },
): Part[] {
  if (entry === undefined) return [];
  const seen = new Set<string>();
  return readTexts(entry, own).flatMap(({ text: path, at }): Part[] => {
    if (!PART_PATH.test(path) || ROUTES_PATH.test(path)) {
      own.add(at, `${path} is no part: the name of a part begins with _ and ends with .yaml, as in _shared.yaml.`);
      return [];
    }
    if (seen.has(path)) {
      own.add(at, `${path} is included twice.`);
      return [];
    }
    seen.add(path);
    const text = files.use(path);
    if (text === undefined) {
      own.add(at, `There is no file ${files.nameOf(path)}.${files.suggest(path)}`);
      return [];
    }
    const { root, faults: syntax } = parseOnce(path, text, files);
    faults.take(syntax);
    return root === undefined ? [] : [readPart(root, faults.of(files.nameOf(path), text, own.file))];
  });
}

function parseOnce(path: string, text: string, files: FolderFiles): PartFile {
  const known = files.parts.get(path);
  if (known !== undefined) return known;
  const faults = new FaultList(files.nameOf(path), text);
  const parsed = { root: parseYaml(faults), faults };
  files.parts.set(path, parsed);
  return parsed;
}

function readPart(root: ParsedNode, faults: FaultList): Part {
  const entries = readEntries(root, 0, "a part", faults);
  for (const { name, nameAt } of entries) {
    if (!isOneOf(RULESET_KEYS, name) || isOneOf(PART_KEYS, name)) continue;
    faults.add(nameAt, `A part has no ${name}; only a ruleset does. A part holds ${PART_KEYS.join(", ")}.`);
  }
  refuseUnknown(entries, "a part", RULESET_KEYS, faults);
  return { faults, entries };
}

function isOneOf(keys: readonly string[], name: string): boolean {
  return keys.includes(name);
}

/** The entries named so in all parts, those that are empty left out. */
export function entriesNamed(parts: readonly Part[], name: PartKey): PartEntry[] {
  return parts.flatMap(({ entries, faults }) =>
    entries.filter((entry) => entry.name === name && !isEmptyValue(entry.value)).map((entry) => ({ entry, faults })),
  );
}

/** The entries of the map that all parts hold under one name: `facts`, `lists`, `counters`. */
export function entriesWithin(parts: readonly Part[], name: PartKey): PartEntry[] {
  return entriesNamed(parts, name).flatMap(({ entry, faults }) =>
    readEntries(entry.value, entry.valueAt, name, faults).map((inner) => ({ entry: inner, faults })),
  );
}
