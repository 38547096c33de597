import { partSchema, routesSchema, rulesetSchema } from "../src/index.ts";

/** The files below schema/, by name. */
export function schemaFiles(): ReadonlyMap<string, object> {
  return new Map([
    ["ruleset.schema.json", rulesetSchema()],
    ["part.schema.json", partSchema()],
    ["routes.schema.json", routesSchema()],
  ]);
}
