import { isRecord } from "@assay/protocol";
import type { Field } from "./catalogue.ts";
import type { Input } from "./input.ts";
import type { List } from "./list.ts";

/** A value that conditions work on. A present object is just `true`, a list is itself. */
export type SlotValue = string | number | boolean | readonly unknown[];

/**
 * The values one input has for the fields a ruleset uses; undefined is absent, or not of the field's type. Terms keep
 * what they worked out in places of their own.
 */
export type Slots = (SlotValue | undefined)[];

/** The place of the submission's `received_at`, in unix ms. */
export const RECEIVED_AT = 0;

/** Gives every used field one place, so that each is looked up and type-checked once per decision. */
export class SlotTable {
  readonly #indexes = new Map<string, number>();
  readonly #absent: Slots = [undefined];
  readonly #lists: ReadonlyMap<string, List | undefined>;
  readonly #event: Branch = { leaves: [], branches: [] };
  readonly #checks: Branch = { leaves: [], branches: [] };
  readonly #context: Branch = { leaves: [], branches: [] };
  readonly #facts: Branch = { leaves: [], branches: [] };
  readonly #counters: Branch = { leaves: [], branches: [] };
  // No input holds an outcome or an element: who goes through them puts each in its place.
  readonly #placed: Branch = { leaves: [], branches: [] };

  /** `lists` are what conditions may look values up in. */
  constructor(lists: readonly { readonly name: string; readonly list: List | undefined }[] = []) {
    this.#lists = new Map(lists.map(({ name, list }) => [name, list]));
  }

  /** The place of a field; the same for equal paths. */
  indexOf(field: Field): number {
    const known = this.#indexes.get(field.path);
    if (known !== undefined) return known;
    const index = this.#newPlace(field.path);
    addLeaf(this.#rootOf(field), field.keys, { index, fits: fitterOf(field) });
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
    readBranch(this.#event, event, slots);
    readBranch(this.#checks, checks, slots);
    readBranch(this.#context, context, slots);
    readBranch(this.#facts, context.facts, slots);
    readBranch(this.#counters, counters, slots);
    return slots;
  }

  #newPlace(key: string): number {
    const index = this.#absent.push(undefined) - 1;
    this.#indexes.set(key, index);
    return index;
  }

  #rootOf(field: Field): Branch {
    switch (field.root) {
      case "event":
        return this.#event;
      case "checks":
        return this.#checks;
      case "context":
        return this.#context;
      case "facts":
        return this.#facts;
      case "counters":
        return this.#counters;
      case "outcome":
      case "element":
        return this.#placed;
    }
  }
}

// Fields by their common parents: an object that holds several is looked up once.
interface Branch {
  readonly leaves: Leaf[];
  readonly branches: { readonly key: string; readonly branch: Branch }[];
}

interface Leaf {
  readonly key: string;
  readonly index: number;
  readonly fits: (value: unknown) => SlotValue | undefined;
}

function addLeaf(branch: Branch, [key = "", ...rest]: readonly string[], leaf: Omit<Leaf, "key">): void {
  if (rest.length === 0) {
    branch.leaves.push({ key, ...leaf });
    return;
  }
  let inner = branch.branches.find((candidate) => candidate.key === key);
  if (inner === undefined) branch.branches.push((inner = { key, branch: { leaves: [], branches: [] } }));
  addLeaf(inner.branch, rest, leaf);
}

function readBranch({ leaves, branches }: Branch, value: unknown, slots: Slots): void {
  if (!isRecord(value)) return;
  for (const { key, index, fits } of leaves) slots[index] = fits(value[key]);
  for (const { key, branch } of branches) readBranch(branch, value[key], slots);
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
