import { createCatalogue, type Field } from "../condition/catalogue.ts";
import type { JsonSchema } from "./json-schema.ts";

const DECLARED = "(?:facts|counters)\\.[a-z][a-z0-9_]*";
const fields = [...createCatalogue({}).fields.values()];

/** A signal that is one value. */
export const SIGNAL: JsonSchema = {
  type: "string",
  enum: fields.filter((field) => field.root === "event" && isSingle(field)).map(({ path }) => path),
};

/** What a counter may count by: a signal, a context field or a fact. */
export const COUNTED: JsonSchema = {
  type: "string",
  anyOf: [
    { enum: fields.filter((field) => isCounted(field) && isSingle(field)).map(({ path }) => path) },
    { pattern: "^facts\\.[a-z][a-z0-9_]*$" },
  ],
};

/** Values of an input by their names, dotted or nested. */
export const GIVEN: JsonSchema = {
  type: ["object", "null"],
  properties: {
    ...Object.fromEntries(fields.map((field) => [field.path, valueOf(field)])),
    ...Object.fromEntries(["checks", "context", "facts", "counters"].map((root) => [root, { type: "object" }])),
  },
  patternProperties: { [`^${DECLARED}$`]: {} },
  additionalProperties: false,
};

/** Values of one root, such as `checks`, by their names below it. */
export function valuesOf(root: Field["root"]): JsonSchema {
  const own = fields.filter((field) => field.root === root);
  return {
    type: ["object", "null"],
    properties: Object.fromEntries(own.map((field) => [field.keys.join("."), valueOf(field)])),
    additionalProperties: false,
  };
}

function isCounted({ root }: Field): boolean {
  return root === "event" || root === "context";
}

function isSingle({ type }: Field): boolean {
  return type !== "object" && type !== "array";
}

function valueOf({ type, values }: Field): JsonSchema {
  return values === undefined ? { type } : { type, enum: values };
}
