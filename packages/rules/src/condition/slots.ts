import { EVENT_READERS, type EventSignals, isRecord, type Signal } from "@assay/protocol";
import type { Field } from "./catalogue.ts";
import { FIXED_COUNT, FIXED_PLACES, readChecks, readContextFields, RECEIVED_AT } from "./fixed-places.ts";
import type { Input } from "./input.ts";
import type { List } from "./list.ts";

export { RECEIVED_AT } from "./fixed-places.ts";

/** A value that conditions work on. A present object is just `true`, a list is itself. */
export type SlotValue = Signal;

/**
 * The values one input has for the fields a ruleset uses; undefined is absent, or not of the field's type. Terms keep
 * what they worked out in places of their own.
 */
export type Slots = (SlotValue | undefined)[];

/** Gives every used field one place, so that each is looked up and type-checked once per decision. */
export class SlotTable {
  /** Paths of the fields of an event that have a place. */
  readonly eventFields = new Set<string>();
  readonly #indexes = new Map(FIXED_PLACES);
  readonly #absent: Slots = Array.from({ length: FIXED_COUNT }, () => undefined);
  readonly #lists: ReadonlyMap<string, List | undefined>;
  readonly #readers: ((event: EventSignals, values: Slots) => void)[] = [];
  readonly #facts: Leaf[] = [];
  readonly #counters: Leaf[] = [];

  /** `lists` are what conditions may look values up in. */
  constructor(lists: readonly { readonly name: string; readonly list: List | undefined }[] = []) {
    this.#lists = new Map(lists.map(({ name, list }) => [name, list]));
  }

  /** The place of a field; the same for equal paths. */
  indexOf(field: Field): number {
    const [key = ""] = field.keys;
    if (field.root === "event") this.eventFields.add(field.path);
    const reader = field.root === "event" ? (EVENT_READERS[key] ?? EVENT_READERS["*"]) : undefined;
    if (reader !== undefined && !this.#readers.includes(reader)) this.#readers.push(reader);
    const known = this.#indexes.get(field.path);
    if (known !== undefined) return known;
    const index = this.#newPlace(field.path);
    // No input holds an outcome or an element: who goes through them puts each in its place.
    if (field.root === "facts") this.#facts.push({ key, index, fits: fitterOf(field) });
    if (field.root === "counters") this.#counters.push({ key, index, fits: fitterOf(field) });
    return index;
  }

  /** A place for what is worked out of other values, undefined in every input; the same for equal names. */
  derived(name: string): number {
    const key = `= ${name}`;
    return this.#indexes.get(key) ?? this.#newPlace(key);
  }

  /** The list of a name that the catalogue knows. */
  list(name: string): List {
    const list = this.#lists.get(name);
    if (list === undefined) throw new TypeError(`There is no list ${name}.`);
    return list;
  }

  /** Looks up every field that has a place. */
  read({ event, checks, context, counters, receivedAt }: Input): Slots {
    const slots = this.#absent.slice();
    slots[RECEIVED_AT] = receivedAt;
    for (const read of this.#readers) read(event, slots);
    readChecks(checks, slots);
    readContextFields(context, slots);
    readLeaves(this.#facts, context.facts, slots);
    readLeaves(this.#counters, counters, slots);
    return slots;
  }

  #newPlace(key: string): number {
    const index = this.#absent.push(undefined) - 1;
    this.#indexes.set(key, index);
    return index;
  }
}

interface Leaf {
  readonly key: string;
  readonly index: number;
  readonly fits: (value: unknown) => SlotValue | undefined;
}

function readLeaves(leaves: readonly Leaf[], source: unknown, slots: Slots): void {
  if (leaves.length === 0 || !isRecord(source)) return;
  for (const { key, index, fits } of leaves) slots[index] = fits(source[key]);
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
      return field.root === "facts" ? asTexts : (value) => (Array.isArray(value) ? value : undefined);
  }
}

// A fact is small, so that all of it can be checked; a list of an event is checked as far as it is looked at.
function asTexts(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) && value.every((element) => typeof element === "string") ? value : undefined;
}
