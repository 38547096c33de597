import { closestName, isRecord } from "@assay/protocol";
import { isMap, isSeq, type ParsedNode } from "yaml";
import type { Catalogue, Field } from "../condition/catalogue.ts";
import type { FaultList } from "./fault.ts";
import { readValue } from "./tests-value.ts";
import { type Entry, isEmptyValue, readEntries } from "./yaml-entries.ts";

/** A value that a test gives one field. */
export interface GivenValue {
  readonly field: Field;
  readonly value: unknown;
  readonly at: number;
}

/** What reading given values needs. */
export interface GivenScope {
  readonly given: GivenCatalogue;
  readonly faults: FaultList;
}

/** The names that a test may give a value: those of conditions, and what the elements of lists hold. */
export interface GivenCatalogue {
  readonly fields: ReadonlyMap<string, Field>;
  /** Every name that has others below it. */
  readonly groups: ReadonlySet<string>;
  readonly suggest: (path: string) => string | undefined;
}

/** The names of a catalogue as a test may give them. */
export function catalogueOfGiven(catalogue: Catalogue): GivenCatalogue {
  const own = [...catalogue.fields.values()];
  const all = [...own, ...own.flatMap(({ elements = [] }) => elements)];
  const fields = new Map(all.map((field) => [field.path, field]));
  const groups = new Set(["context", "facts", "checks", "counters", ...all.flatMap(({ path }) => groupsOf(path))]);
  const suggest = (path: string) => catalogue.suggest(path) ?? closestName(path, [...fields.keys()]);
  return { fields, groups, suggest };
}

function groupsOf(path: string): string[] {
  const keys = path.split(".");
  return keys.slice(1).map((_, index) => keys.slice(0, index + 1).join("."));
}

/** Reads the values below a name: dotted names and nested maps in any mixture. */
export function readGiven(entry: Entry, path: string, scope: GivenScope): GivenValue[] {
  return readEntries(entry.value, entry.valueAt, path === "" ? entry.name : path, scope.faults).flatMap((below) =>
    readOne(below, path === "" ? below.name : `${path}.${below.name}`, scope),
  );
}

/** An object of the values that stand below it; a fault for each that is given twice. */
export function objectOf(given: readonly GivenValue[], faults: FaultList): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  const seen = new Set<Field>();
  // An object that was given as a whole comes before what is in it.
  const outerFirst = given.toSorted((a, b) => a.field.keys.length - b.field.keys.length);
  for (const { field, value, at } of outerFirst) {
    if (seen.has(field)) faults.add(at, `${field.path} is given twice.`);
    seen.add(field);
    put(object, field.keys, value);
  }
  return object;
}

function readOne(entry: Entry, path: string, scope: GivenScope): GivenValue[] {
  const { given, faults } = scope;
  const field = given.fields.get(path);
  if (isEmptyValue(entry.value)) {
    faults.add(entry.nameAt, `${path} has no value. Leave out what is absent.`);
    return [];
  }
  if (given.groups.has(path) && isMap(entry.value)) {
    const below = readGiven(entry, path, scope);
    // An object that holds nothing is present all the same.
    return field === undefined || below.length > 0 ? below : [{ field, value: {}, at: entry.valueAt }];
  }
  if (field === undefined) {
    faults.add(entry.nameAt, describeUnknown(path, given));
    return [];
  }
  const value = readField(field, entry, scope);
  return value === undefined ? [] : [{ field, value, at: entry.valueAt }];
}

function describeUnknown(path: string, { groups, suggest }: GivenCatalogue): string {
  if (groups.has(path)) return `${path} holds several values. Give each by its name.`;
  const [root] = path.split(".");
  const meant = suggest(path);
  if (meant !== undefined) return `${path} is not a known name. Did you mean ${meant}?`;
  return `${path} is not a known name.${root === "facts" || root === "counters" ? ` Declare it under ${root}.` : ""}`;
}

function readField(field: Field, { value: node, valueAt }: Entry, scope: GivenScope): unknown {
  if (field.type !== "array" || !isSeq(node)) return readValue(field, node, valueAt, scope.faults);
  const elements = node.items.map((element: ParsedNode) => readElement(field, element, scope));
  return elements.includes(undefined) ? undefined : elements;
}

function readElement(list: Field, node: ParsedNode, scope: GivenScope): unknown {
  const path = `${list.path}[]`;
  const plain = scope.given.fields.get(path);
  const at = node.range[0];
  if (plain !== undefined) return readValue(plain, node, at, scope.faults);
  // What the vendor does not describe may be anything.
  if (list.elements === undefined) return node.toJSON();
  const entry: Entry = { name: path, nameAt: at, value: node, valueAt: at };
  return objectOf(readGiven(entry, path, scope), scope.faults);
}

function put(object: Record<string, unknown>, [key = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    object[key] = value;
    return;
  }
  const inner = object[key];
  const below: Record<string, unknown> = isRecord(inner) ? inner : {};
  object[key] = below;
  put(below, rest, value);
}
