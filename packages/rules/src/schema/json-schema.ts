/** A JSON Schema of draft 7, the newest that editors of YAML read in full. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export const DRAFT = "http://json-schema.org/draft-07/schema#";

/** A map that holds these keys and no others; `keys` are those that the loader knows. */
export function mapOf<Key extends string>(
  keys: readonly Key[],
  properties: Readonly<Record<Key, JsonSchema>>,
  required: readonly NoInfer<Key>[] = [],
): JsonSchema {
  return {
    type: "object",
    properties: Object.fromEntries(keys.map((key) => [key, properties[key]])),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

/** A map of which each of these keys has the same kind of value. */
export function eachOf(keys: readonly string[], value: JsonSchema, description: string): JsonSchema {
  return orEmpty({ description, ...mapOf(keys, Object.fromEntries(keys.map((key) => [key, value]))) });
}

/** A map that may be left empty. */
export function orEmpty(map: JsonSchema): JsonSchema {
  return { ...map, type: ["object", "null"] };
}

/** A map whose names the ruleset's writer chooses. */
export function namedBy(pattern: RegExp, values: JsonSchema, description: string): JsonSchema {
  return {
    description,
    type: ["object", "null"],
    propertyNames: { pattern: pattern.source },
    additionalProperties: values,
  };
}

/** One of several words. */
export function oneOf(values: readonly string[], description: string): JsonSchema {
  return { description, type: "string", enum: values };
}

/** A text of a pattern. */
export function text(pattern: RegExp, description: string): JsonSchema {
  return { description, type: "string", pattern: pattern.source };
}

/** A list; an empty value is an empty list. */
export function listOf(items: JsonSchema, description: string): JsonSchema {
  return { description, type: ["array", "null"], items };
}
