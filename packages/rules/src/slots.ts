import { isRecord } from "@assay/protocol";
import type { Field } from "./catalogue.ts";
import type { Input } from "./input.ts";

/** A value that conditions work on. A present object or list is just `true`. */
export type SlotValue = string | number | boolean;

/** The values one input has for the fields a ruleset uses; undefined is absent, or not of the field's type. */
export type Slots = readonly (SlotValue | undefined)[];

/** Gives every used field one place, so that each is looked up and type-checked once per decision. */
export class SlotTable {
  readonly #indexes = new Map<string, number>();
  readonly #readers: ((input: Input) => SlotValue | undefined)[] = [];

  /** The place of a field; the same for equal paths. */
  indexOf(field: Field): number {
    const known = this.#indexes.get(field.path);
    if (known !== undefined) return known;
    const index = this.#readers.push(readerOf(field)) - 1;
    this.#indexes.set(field.path, index);
    return index;
  }

  /** Looks up every field that has a place. */
  read(input: Input): Slots {
    return this.#readers.map((read) => read(input));
  }
}

function readerOf(field: Field): (input: Input) => SlotValue | undefined {
  const fits = fitterOf(field);
  const rootOf = rootReader(field.root);
  const [first = "", second, ...rest] = field.keys;
  if (second === undefined) return (input) => fits(rootOf(input)?.[first]);
  return (input) => {
    let value = rootOf(input)?.[first];
    if (!isRecord(value)) return undefined;
    value = value[second];
    for (const key of rest) {
      if (!isRecord(value)) return undefined;
      value = value[key];
    }
    return fits(value);
  };
}

function rootReader(root: Field["root"]): (input: Input) => Readonly<Record<string, unknown>> | undefined {
  switch (root) {
    case "event":
      return (input) => input.event;
    case "checks":
      return (input) => input.checks;
    case "context":
      return ({ context }) => (isRecord(context) ? context : undefined);
    case "facts":
      return (input) => input.context.facts;
  }
}

/** Gives the value back when it is of the field's type, undefined otherwise. */
export function fitterOf(field: Field): (value: unknown) => SlotValue | undefined {
  const { values, closed } = field;
  if (closed) return (value) => (typeof value === "string" && values?.includes(value) ? value : undefined);
  switch (field.type) {
    case "string":
      return (value) => (typeof value === "string" ? value : undefined);
    case "number":
      // JSON can spell a number that is too large for one.
      return (value) => (typeof value === "number" && Number.isFinite(value) ? value : undefined);
    case "boolean":
      return (value) => (typeof value === "boolean" ? value : undefined);
    case "object":
      return (value) => (isRecord(value) ? true : undefined);
    case "array":
      return (value) => (Array.isArray(value) ? true : undefined);
  }
}
