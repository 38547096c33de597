import { CHECK_NAMES, closestNames, EVENT_FIELDS, type EventField } from "@assay/protocol";
import { CONTEXT_NAMES } from "./fixed-places.ts";
import type { ListType } from "./list-type.ts";

export type FieldType = "string" | "number" | "boolean" | "object" | "array";

/** One name that a condition may use. */
export interface Field {
  /** As it is written in a ruleset and in evidence: `velocity.distinct_ip.5_minutes`, `facts.order_value`. */
  readonly path: string;
  readonly root: FieldRoot;
  /** The keys from the root, or from the element, to the value. */
  readonly keys: readonly string[];
  readonly type: FieldType;
  /** The values it is known to take. */
  readonly values?: readonly (string | number)[];
  /** True when no other value counts (a declared fact); the vendor may add values to its own fields. */
  readonly closed?: true;
  /** Where the signal can be present; everywhere when absent. */
  readonly platforms?: readonly Platform[];
  /** The least and the greatest number it can be. */
  readonly least?: number;
  readonly most?: number;
  /** Whether the number is a time in unix ms, so that `age()` may be asked of it. Facts may be one. */
  readonly isTime?: true;
  /** Of a list: what an element holds, as `labels[].prediction`; a plain element is `facts.tags[]`. */
  readonly elements?: readonly Field[];
}

/** Where the value of a field comes from. `outcome` is known to counters of outcomes alone, `element` inside a macro. */
type FieldRoot = "event" | "checks" | "context" | "facts" | "counters" | "outcome" | "element";

export type Platform = "browser" | "android" | "ios";

/** What a ruleset adds to the names that every ruleset knows. */
export interface Declarations {
  readonly facts?: readonly Field[];
  /** Names of counters. */
  readonly counters?: readonly string[];
  readonly lists?: readonly { readonly name: string; readonly type: ListType }[];
  /** True for the counters of outcomes, which may ask for `outcome` and `label`. */
  readonly outcome?: boolean;
}

/** Every name that conditions of one ruleset may use. */
export interface Catalogue {
  readonly fields: ReadonlyMap<string, Field>;
  /** The types of the lists by name. */
  readonly lists: ReadonlyMap<string, ListType>;
  field(path: string): Field | undefined;
  /** The known path, of a field or a list, that was probably meant; several that are equally near with `or` between. */
  suggest(path: string): string | undefined;
}

/** Signals that are a time; the vendor gives all of them in unix ms. */
const TIMES = new Set([
  "timestamp",
  "identification.first_seen_at",
  "identification.last_seen_at",
  "supplementary_id_high_recall.first_seen_at",
  "supplementary_id_high_recall.last_seen_at",
  "proxy_details.last_seen_at",
  "factory_reset_timestamp",
]);

/** What can be a time in unix ms: from the year 2001 to 2286. A time in seconds, or a number of days, is none. */
const TIME_LIMITS = { least: 1e12, most: 1e13 };

/** Most members of a counter, and so its greatest value. */
const MAX_COUNT = 1000;

const FIXED_FIELDS: readonly Field[] = [
  ...Object.entries(EVENT_FIELDS).map(([path, field]) => signal(path, field)),
  ...CHECK_NAMES.map((name) => fieldIn("checks", name, "boolean")),
  fieldIn("checks", "event_age_seconds", "number"),
  { ...fieldIn("checks", "use_count", "number"), least: 0 },
  ...CONTEXT_NAMES.map((name) => fieldIn("context", name, "string")),
];

const OUTCOME_FIELDS: readonly Field[] = [
  { path: "outcome", root: "outcome", keys: ["outcome"], type: "string" },
  { path: "label", root: "outcome", keys: ["label"], type: "string", values: ["fraud", "legit"], closed: true },
];

/** The catalogue of a ruleset that declares these facts, counters and lists. */
export function createCatalogue({ facts = [], counters = [], lists = [], outcome }: Declarations): Catalogue {
  const declared = [...facts, ...counters.map(counterField), ...(outcome === true ? OUTCOME_FIELDS : [])];
  const fields = new Map([...FIXED_FIELDS, ...declared].map((field) => [field.path, field]));
  const paths = [...fields.keys(), ...lists.map(({ name }) => `lists.${name}`)];
  return {
    fields,
    lists: new Map(lists.map(({ name, type }) => [name, type])),
    field: (path) => fields.get(path),
    suggest: (path) => meantBy(path, paths),
  };
}

const MAX_MEANT = 3;

// A name without its group is meant before one that is misspelt.
function meantBy(path: string, paths: readonly string[]): string | undefined {
  const inGroups = paths.filter((known) => known.endsWith(`.${path}`));
  const meant = inGroups.length > 0 ? inGroups : closestNames(path, paths);
  return meant.length === 0 ? undefined : meant.slice(0, MAX_MEANT).join(" or ");
}

/** A field directly below `checks`, `context` or `facts`. A list holds texts. */
export function fieldIn(root: "checks" | "context" | "facts", name: string, type: FieldType): Field {
  const path = `${root}.${name}`;
  const field: Field = { path, root, keys: [name], type };
  if (type !== "array") return field;
  return { ...field, elements: [{ path: `${path}[]`, root: "element", keys: [], type: "string" }] };
}

function counterField(name: string): Field {
  return { path: `counters.${name}`, root: "counters", keys: [name], type: "number", least: 0, most: MAX_COUNT };
}

function signal(path: string, field: EventField): Field {
  const { elements } = field;
  return {
    ...documented(path, field),
    root: "event",
    keys: path.split("."),
    ...(field.platforms === undefined ? {} : { platforms: field.platforms }),
    ...(TIMES.has(path) ? { isTime: true, ...TIME_LIMITS } : {}),
    // The vendor counts something, without saying that nothing is less than 0.
    ...(path.startsWith("velocity.") && field.type === "integer" ? { least: 0 } : {}),
    // The vendor does not support the confidence of this id, and always writes 0.
    ...(path === "supplementary_id_high_recall.confidence.score" ? { most: 0 } : {}),
    ...(elements === undefined ? {} : { elements: elementsOf(path, field.platforms, elements) }),
  };
}

function elementsOf(
  list: string,
  platforms: EventField["platforms"],
  elements: Readonly<Record<string, EventField>>,
): Field[] {
  return Object.entries(elements).map(([below, field]) => ({
    ...documented(below === "" ? `${list}[]` : `${list}[].${below}`, field),
    root: "element",
    keys: below === "" ? [] : below.split("."),
    ...(platforms === undefined ? {} : { platforms }),
  }));
}

function documented(path: string, { type, enum: values, minimum, maximum }: EventField) {
  return {
    path,
    // One number type: a JSON number is a number, whole or not.
    type: type === "integer" ? "number" : type,
    ...(values === undefined ? {} : { values }),
    ...(minimum === undefined ? {} : { least: minimum }),
    ...(maximum === undefined ? {} : { most: maximum }),
  } as const;
}
