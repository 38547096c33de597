import { CHECK_NAMES, closestName, EVENT_FIELDS } from "@assay/protocol";

export type FieldType = "string" | "number" | "boolean" | "object" | "array";

/** One name that a condition may use. */
export interface Field {
  /** As it is written in a ruleset and in evidence: `velocity.distinct_ip.5_minutes`, `facts.order_value`. */
  readonly path: string;
  readonly root: FieldRoot;
  /** The keys from the root to the value. */
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
  /** Of an array: what its elements are, by paths that begin with the name a macro gives them; one field when they are plain. */
  readonly elements?: readonly Field[];
}

/** Where the value of a field comes from. `outcome` is known to counters of outcomes alone, `element` inside a macro. */
export type FieldRoot = "event" | "checks" | "context" | "facts" | "counters" | "outcome" | "element";

export type Platform = "browser" | "android" | "ios";

/** Every name that conditions of one ruleset may use. */
export interface Catalogue {
  readonly fields: ReadonlyMap<string, Field>;
  field(path: string): Field | undefined;
  /** The known path that was probably meant. */
  suggest(path: string): string | undefined;
}

/** Context fields that conditions may use; all of them are text. */
const CONTEXT_NAMES = [
  "flow",
  "user_id",
  "reference",
  "ip",
  "origin",
  "user_agent",
  "linked_id",
  "visitor_id",
] as const;

const FIXED_FIELDS: readonly Field[] = [
  ...Object.entries(EVENT_FIELDS).map(([path, { type, enum: values }]): Field => ({
    path,
    root: "event",
    keys: path.split("."),
    // One number type: a JSON number is a number, whole or not.
    type: type === "integer" ? "number" : type,
    ...(values === undefined ? {} : { values }),
  })),
  ...CHECK_NAMES.map((name) => fieldIn("checks", name, "boolean")),
  fieldIn("checks", "event_age_seconds", "number"),
  fieldIn("checks", "use_count", "number"),
  ...CONTEXT_NAMES.map((name) => fieldIn("context", name, "string")),
];

/** The catalogue of a ruleset that declares these facts. */
export function createCatalogue(facts: readonly Field[]): Catalogue {
  const fields = new Map([...FIXED_FIELDS, ...facts].map((field) => [field.path, field]));
  const paths = [...fields.keys()];
  return {
    fields,
    field: (path) => fields.get(path),
    suggest: (path) => paths.find((known) => known.endsWith(`.${path}`)) ?? closestName(path, paths),
  };
}

/** A field directly below `checks`, `context` or `facts`. */
export function fieldIn(root: "checks" | "context" | "facts", name: string, type: FieldType): Field {
  return { path: `${root}.${name}`, root, keys: [name], type };
}
