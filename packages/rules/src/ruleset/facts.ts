import { closestName, isRecord } from "@assay/protocol";
import { isScalar, isSeq } from "yaml";
import { type Field, fieldIn } from "../condition/catalogue.ts";
import type { Input } from "../condition/input.ts";
import type { Slots } from "../condition/slot-value.ts";
import type { SlotTable } from "../condition/slots.ts";
import type { FaultList } from "./fault.ts";
import { checkName, Names } from "./names.ts";
import { entriesWithin, type Part } from "./part.ts";
import { type Entry, readTexts } from "./yaml-entries.ts";

/** A fact that backends send. */
export interface FactDeclaration {
  readonly name: string;
  readonly type: "string" | "number" | "boolean" | "list";
  /** The only texts it may be. */
  readonly values?: readonly string[];
}

export const FACT_TYPES = ["number", "string", "boolean", "list"] as const;
const MAX_FACTS = 32;

/** Reads `facts:` of all parts, the types of what the company's own backends send. */
export function readFacts(parts: readonly Part[]): FactDeclaration[] {
  const names = new Names("fact");
  return entriesWithin(parts, "facts").flatMap(({ entry, faults }, index): FactDeclaration[] => {
    if (index === MAX_FACTS) faults.add(entry.nameAt, `At most ${MAX_FACTS} facts may be declared.`);
    const fact = readFact(entry, faults);
    const isUsable = checkName(entry, "fact", faults) && names.take(entry.name, entry.nameAt, faults);
    return isUsable && fact !== undefined ? [fact] : [];
  });
}

function readFact(entry: Entry, faults: FaultList): FactDeclaration | undefined {
  const { name } = entry;
  if (isSeq(entry.value)) {
    const values = readTexts(entry, faults).map(({ text }) => text);
    if (values.length === 0) faults.add(entry.valueAt, `${name} needs at least one allowed text.`);
    return { name, type: "string", values };
  }
  const value = isScalar(entry.value) ? entry.value.value : undefined;
  const type = FACT_TYPES.find((known) => known === value);
  if (type !== undefined) return { name, type };
  const meant = typeof value === "string" ? closestName(value, FACT_TYPES) : undefined;
  const fix = meant === undefined ? "" : ` Did you mean ${meant}?`;
  faults.add(entry.valueAt, `A fact is a number, string, boolean, list, or a list of the texts it may be.${fix}`);
  return undefined;
}

/** A fact as a field of the catalogue. */
export function fieldOfFact({ name, type, values }: FactDeclaration): Field {
  const field = fieldIn("facts", name, type === "list" ? "array" : type);
  return values === undefined ? field : { ...field, values, closed: true };
}

/** The declared facts of an input whose value is present and does not fit. */
export function createFactCheck(
  facts: readonly FactDeclaration[],
  slots: SlotTable,
): (input: Input, values: Slots) => string[] {
  const places = facts.map((fact) => ({ name: fact.name, place: slots.indexOf(fieldOfFact(fact)) }));
  return ({ context: { facts: given } }, values) => {
    const invalid: string[] = [];
    if (!isRecord(given)) return invalid;
    for (const { name, place } of places) {
      // What does not fit has no value.
      if (values[place] === undefined && given[name] !== undefined && given[name] !== null) invalid.push(name);
    }
    return invalid;
  };
}
