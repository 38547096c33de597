import { closestName } from "@assay/protocol";
import { isMap, isScalar, isSeq, type ParsedNode } from "yaml";
import type { FaultList } from "./fault.ts";

/** One key of a YAML map, and where it and its value stand in the text. */
export interface Entry {
  readonly name: string;
  readonly nameAt: number;
  readonly value: ParsedNode | null;
  readonly valueAt: number;
}

/** A text with its place. */
export interface PlacedText {
  readonly text: string;
  readonly at: number;
}

/** Whether nothing stands after a key. */
export function isEmptyValue(node: ParsedNode | null): boolean {
  return node === null || (isScalar(node) && node.value === null);
}

/** The entries of a map; none, with a fault, when the node is something else. An empty value is an empty map. */
export function readEntries(node: ParsedNode | null, at: number, what: string, faults: FaultList): Entry[] {
  if (node === null || isEmptyValue(node)) return [];
  if (!isMap(node)) {
    faults.add(at, `${what} must be a map of keys and values.`);
    return [];
  }
  return node.items.flatMap(({ key, value }): Entry[] => {
    if (isScalar(key) && typeof key.value === "string") {
      return [{ name: key.value, nameAt: key.range[0], value, valueAt: value?.range[0] ?? key.range[1] }];
    }
    faults.add(key.range[0], `A key of ${what} must be a text.`);
    return [];
  });
}

/** A fault for each entry whose key is not known here, with the likely spelling. */
export function refuseUnknown(
  entries: readonly Entry[],
  what: string,
  known: readonly string[],
  faults: FaultList,
): void {
  for (const { name, nameAt } of entries) {
    if (!known.includes(name)) faults.add(nameAt, unknownName(name, what, known));
  }
}

function unknownName(name: string, what: string, known: readonly string[]): string {
  const meant = closestName(name, known);
  const fix = meant === undefined ? `Known are: ${known.join(", ")}.` : `Did you mean ${meant}?`;
  return `${name} is not known in ${what}. ${fix}`;
}

/** The text of an entry that a pattern accepts; a fault with the hint otherwise. */
export function readText(entry: Entry, pattern: RegExp, hint: string, faults: FaultList): string | undefined {
  const value = isScalar(entry.value) ? entry.value.value : undefined;
  if (typeof value === "string" && pattern.test(value)) return value;
  faults.add(entry.valueAt, `${entry.name} must be ${hint}.`);
  return undefined;
}

/** The number of an entry, between two bounds that are included. */
export function readNumber(entry: Entry, least: number, most: number, faults: FaultList): number | undefined {
  const value = isScalar(entry.value) ? entry.value.value : undefined;
  if (typeof value === "number" && value >= least && value <= most) return value;
  faults.add(entry.valueAt, `${entry.name} must be a number from ${least} to ${most}.`);
  return undefined;
}

/** One of several words. */
export function readChoice<T extends string>(entry: Entry, choices: readonly T[], faults: FaultList): T | undefined {
  const value = isScalar(entry.value) ? entry.value.value : undefined;
  const chosen = choices.find((choice) => choice === value);
  if (chosen !== undefined) return chosen;
  const meant = typeof value === "string" ? closestName(value, choices) : undefined;
  const fix = meant === undefined ? "" : ` Did you mean ${meant}?`;
  faults.add(entry.valueAt, `${entry.name} must be one of ${choices.join(", ")}.${fix}`);
  return undefined;
}

/** The nodes of a list; none, with a fault, when the entry is something else. An empty value is an empty list. */
export function readItems(entry: Entry, faults: FaultList): ParsedNode[] {
  if (isEmptyValue(entry.value)) return [];
  if (isSeq(entry.value)) return entry.value.items;
  faults.add(entry.valueAt, `${entry.name} must be a list.`);
  return [];
}

/** A list of texts. */
export function readTexts(entry: Entry, faults: FaultList): PlacedText[] {
  return readItems(entry, faults).flatMap((item): PlacedText[] => {
    const at = item.range[0];
    if (isScalar(item) && typeof item.value === "string" && item.value !== "") return [{ text: item.value, at }];
    faults.add(at, `${entry.name} must be a list of texts.`);
    return [];
  });
}
