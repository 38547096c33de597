import { type EventField, isRecord } from "@assay/protocol";
import { type ChosenField, FIELD_TREE, type FieldNode } from "./field-tree.ts";

/** An undocumented value of a field with documented ones. It stays in the event. */
export interface UnknownValue {
  readonly field: string;
  /** The value, when it is a text of at most 64 characters. */
  readonly value?: string;
}

/** What was found in an event, for counting: paths and documented kinds of text, never a visitor's data. ≤ 32 each. */
export interface Findings {
  /** Fields that the catalogue does not know. They stay in the event. */
  readonly unknownFields: readonly string[];
  readonly unknownValues: readonly UnknownValue[];
  /** Known fields whose value had another type. They are absent from the event. */
  readonly wrongTypes: readonly string[];
}

/** An event's fields with values of the documented types alone. Parts that hold no other are those of the JSON itself. */
export interface ReadFields extends Findings {
  readonly fields: Record<string, unknown>;
}

/** Most entries of each list. */
const MAX_FINDINGS = 32;
const MAX_VALUE_CHARACTERS = 64;
/** Deeper parts of undocumented fields and of tags are left out: recursion further down must not overflow. */
const MAX_DEPTH = 32;

/**
 * Reads JSON in v4 shape, without touching it. Nulls become absent; known fields of a wrong type too, so that no rule
 * ever meets `incognito: 1`; unknown fields and values pass. `leaveOut` drops known fields it is true for; `unknownFields`
 * are those known already to be unknown.
 */
export function readFields(
  json: Record<string, unknown>,
  options: { leaveOut?: (node: FieldNode) => boolean; unknownFields?: readonly string[] } = {},
): ReadFields {
  const reading = newReading(options.unknownFields, options.leaveOut);
  return found(readObject(json, FIELD_TREE, "", reading), reading);
}

/** The same of some fields alone: the others are neither in `fields`, nor found. */
export function readChosen(json: Record<string, unknown>, chosen: readonly ChosenField[]): ReadFields {
  const reading = newReading();
  // A copy, as an object that is filled by names in variables is slow to look into from then on.
  return found({ ...readSome(json, chosen, reading) }, reading);
}

function newReading(unknownFields: readonly string[] = [], leaveOut?: Reading["leaveOut"]): Reading {
  return { leaveOut, unknownFields: [...unknownFields], unknownValues: [], wrongTypes: [] };
}

function found(fields: Record<string, unknown>, { unknownFields, unknownValues, wrongTypes }: Reading): ReadFields {
  return { fields, unknownFields, unknownValues, wrongTypes };
}

interface Reading {
  readonly leaveOut: ((node: FieldNode) => boolean) | undefined;
  readonly unknownFields: string[];
  readonly unknownValues: UnknownValue[];
  readonly wrongTypes: string[];
}

// The same object where all of it may stay, as nearly all does: copying takes longer than looking.
function readObject(
  json: Record<string, unknown>,
  known: ReadonlyMap<string, FieldNode>,
  parent: string,
  reading: Reading,
): Record<string, unknown> {
  let fields: Record<string, unknown> | undefined;
  for (const name of Object.keys(json)) {
    const given = json[name];
    const node = known.get(name);
    const value = node === undefined ? clean(given, MAX_DEPTH) : readKnown(given, node, reading);
    if (node === undefined && value !== undefined) note(reading.unknownFields, pathOf(parent, name));
    const isKept = value !== undefined && name !== "__proto__";
    if (value === given && isKept) {
      if (fields !== undefined) fields[name] = value;
      continue;
    }
    fields ??= before(json, name);
    if (isKept) fields[name] = value;
  }
  return fields ?? json;
}

function readSome(
  json: Record<string, unknown>,
  chosen: readonly ChosenField[],
  reading: Reading,
): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const { name, node, inner } of chosen) {
    const given = json[name];
    if (given === undefined) continue;
    const isInside = inner !== undefined && isRecord(given);
    const value = isInside ? readSome(given, inner, reading) : readKnown(given, node, reading);
    if (value !== undefined) fields[name] = value;
  }
  return fields;
}

/** What stands in an object before a name. */
function before(json: Record<string, unknown>, end: string): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const name of Object.keys(json)) {
    if (name === end) break;
    fields[name] = json[name];
  }
  return fields;
}

function readKnown(json: unknown, node: FieldNode, reading: Reading): unknown {
  if (json === null || json === undefined || reading.leaveOut?.(node) === true) return undefined;
  if (!hasType(json, node.field.type)) {
    note(reading.wrongTypes, node.path);
    return undefined;
  }
  noteUnknownValue(json, node, reading);
  if (node.children.size > 0 && isRecord(json)) return readObject(json, node.children, node.path, reading);
  return typeof json === "object" ? clean(json, MAX_DEPTH) : json;
}

function hasType(json: unknown, type: EventField["type"]): boolean {
  switch (type) {
    case "string":
    case "boolean":
      return typeof json === type;
    case "integer":
      return Number.isSafeInteger(json);
    case "number":
      return Number.isFinite(json);
    case "array":
      return Array.isArray(json);
    case "object":
      return isRecord(json);
  }
}

function noteUnknownValue(json: unknown, { field, path }: FieldNode, reading: Reading): void {
  if (field.enum === undefined) return;
  for (const documented of field.enum) if (documented === json) return;
  const isShort = typeof json === "string" && json.length <= MAX_VALUE_CHARACTERS;
  note(reading.unknownValues, isShort ? { field: path, value: json } : { field: path });
}

function note<T>(list: T[], finding: T): void {
  if (list.length < MAX_FINDINGS) list.push(finding);
}

/** The path of an unknown field. A name that is no identifier could be anybody's data, so it is not told. */
export function pathOf(parent: string, name: string): string {
  const told = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name) ? name : "*";
  return parent === "" ? told : `${parent}.${told}`;
}

/** Any JSON without its nulls; the same where it has none. Undefined for what JSON cannot hold. */
function clean(json: unknown, depth: number): unknown {
  return isClean(json, depth) ? json : cleaned(json, depth);
}

// Nearly all is, and looking takes far less than building it anew.
function isClean(json: unknown, depth: number): boolean {
  if (typeof json === "string" || typeof json === "boolean") return true;
  if (typeof json === "number") return Number.isFinite(json);
  if (depth === 0) return false;
  if (Array.isArray(json)) return json.every((item) => isClean(item, depth - 1));
  return isRecord(json) && Object.keys(json).every((name) => name !== "__proto__" && isClean(json[name], depth - 1));
}

function cleaned(json: unknown, depth: number): unknown {
  if (typeof json === "string" || typeof json === "boolean") return json;
  if (typeof json === "number") return Number.isFinite(json) ? json : undefined;
  if (depth === 0) return undefined;
  if (Array.isArray(json)) return json.map((item) => cleaned(item, depth - 1)).filter((item) => item !== undefined);
  if (!isRecord(json)) return undefined;
  const kept = Object.entries(json).flatMap(([name, given]): [string, unknown][] => {
    const value = cleaned(given, depth - 1);
    return value === undefined || name === "__proto__" ? [] : [[name, value]];
  });
  return Object.fromEntries(kept);
}
