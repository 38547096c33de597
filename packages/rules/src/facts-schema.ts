import type { FactDeclaration } from "./ruleset/facts.ts";
import { DRAFT, type JsonSchema } from "./schema/json-schema.ts";
import type { Ruleset } from "./ruleset.ts";

/**
 * A JSON Schema of `context.facts` for the teams whose backends send them: every fact that one of these rulesets
 * declares. A fact that rulesets declare differently may be what any of them takes.
 */
export function factsSchema(rulesets: readonly Pick<Ruleset, "name" | "facts">[]): JsonSchema {
  const shapes = new Map<string, { shape: JsonSchema; rulesets: string[] }[]>();
  for (const ruleset of rulesets) {
    for (const fact of ruleset.facts) {
      const shape = shapeOf(fact);
      const known = shapes.get(fact.name) ?? [];
      shapes.set(fact.name, known);
      const same = known.find((other) => JSON.stringify(other.shape) === JSON.stringify(shape));
      if (same === undefined) known.push({ shape, rulesets: [ruleset.name] });
      else same.rulesets.push(ruleset.name);
    }
  }
  const names = [...shapes.keys()].toSorted();
  return {
    $schema: DRAFT,
    title: "context.facts",
    description: "What the backend knows, by name. Leave out what is not known; null is the same.",
    type: "object",
    properties: Object.fromEntries(names.map((name) => [name, propertyOf(shapes.get(name) ?? [])])),
    additionalProperties: false,
  };
}

function propertyOf(declared: readonly { shape: JsonSchema; rulesets: readonly string[] }[]): JsonSchema {
  const [only, ...others] = declared.map(({ shape, rulesets }) => ({
    description: `Asked by ${rulesets.toSorted().join(", ")}.`,
    ...shape,
  }));
  return only !== undefined && others.length === 0 ? only : { anyOf: [only, ...others] };
}

function shapeOf({ type, values }: FactDeclaration): JsonSchema {
  if (values !== undefined) return { type: "string", enum: values };
  return type === "list" ? { type: "array", items: { type: "string" } } : { type };
}
