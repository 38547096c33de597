import { closestName, isRecord } from "@assay/protocol";
import { isScalar, isSeq } from "yaml";
import { type Field, fieldIn } from "../condition/catalogue.ts";
import type { FaultList } from "./fault.ts";
import type { Input } from "../condition/input.ts";
import { fitterOf } from "../condition/slots.ts";
import { type Entry, readEntries, readTexts } from "./yaml-entries.ts";

const TYPES = ["number", "string", "boolean"] as const;
const NAME = /^[a-z][a-z0-9_]{0,63}$/;
const MAX_FACTS = 32;

// Words that CEL reads as something else after a dot, and what every JavaScript object has.
const UNUSABLE = new Set(["true", "false", "null", "in", "constructor"]);

/** Reads `facts:`, the types of what the company's own backends send, as fields of the catalogue. */
export function readFacts(entry: Entry | undefined, faults: FaultList): Field[] {
  if (entry === undefined) return [];
  const entries = readEntries(entry.value, entry.valueAt, "facts", faults);
  if (entries.length > MAX_FACTS) {
    faults.add(entry.nameAt, `At most ${MAX_FACTS} facts may be declared; there are ${entries.length}.`);
  }
  return entries.flatMap((fact): Field[] => {
    if (!NAME.test(fact.name) || UNUSABLE.has(fact.name)) {
      faults.add(fact.nameAt, `${fact.name} cannot name a fact: use snake_case, at most 64 characters, no CEL word.`);
      return [];
    }
    return readFact(fact, faults);
  });
}

function readFact(entry: Entry, faults: FaultList): Field[] {
  if (isSeq(entry.value)) {
    const values = readTexts(entry, faults).map(({ text }) => text);
    if (values.length === 0) faults.add(entry.valueAt, `${entry.name} needs at least one allowed text.`);
    return [{ ...fieldIn("facts", entry.name, "string"), values, closed: true }];
  }
  const value = isScalar(entry.value) ? entry.value.value : undefined;
  const type = TYPES.find((known) => known === value);
  if (type !== undefined) return [fieldIn("facts", entry.name, type)];
  const meant = typeof value === "string" ? closestName(value, TYPES) : undefined;
  const fix = meant === undefined ? "" : ` Did you mean ${meant}?`;
  faults.add(entry.valueAt, `A fact is a number, string, boolean, or a list of the texts it may be.${fix}`);
  return [];
}

/** The declared facts of an input whose value is present and does not fit. */
export function createFactCheck(fields: readonly Field[]): (input: Input) => string[] {
  const checks = fields.map((field) => ({ name: field.keys[0] ?? "", fits: fitterOf(field) }));
  return ({ context: { facts } }) => {
    if (!isRecord(facts)) return [];
    return checks
      .filter(({ name, fits }) => facts[name] !== undefined && facts[name] !== null && fits(facts[name]) === undefined)
      .map(({ name }) => name);
  };
}
