import { Environment, type ObjectSchema } from "@marcbachmann/cel-js";
import type { Catalogue, Field } from "./catalogue.ts";
import { celKey } from "./window-keys.ts";

/**
 * The library's view of a catalogue, for parsing and type checking. Every number is a `double`, since signals are JSON
 * numbers; `%` is added for them.
 */
export function createCelEnvironment(catalogue: Catalogue): Environment {
  const environment = new Environment({ limits: { maxDepth: 64 } });
  environment.registerOperator("double % double", (a: number, b: number) => a % b);
  for (const [name, type] of Object.entries(schemaOf(catalogue))) {
    if (typeof type === "string") environment.registerVariable(name, type);
    else environment.registerVariable({ name, schema: type });
  }
  return environment;
}

function schemaOf(catalogue: Catalogue): ObjectSchema {
  const root: ObjectSchema = {};
  for (const field of catalogue.fields.values()) {
    const keys = field.path.split(".").map(celKey);
    const last = keys.pop() ?? "";
    let group = root;
    for (const key of keys) {
      const inner = group[key];
      group = typeof inner === "object" ? inner : (group[key] = {});
    }
    group[last] ??= celType(field);
  }
  return root;
}

function celType(field: Field): string {
  switch (field.type) {
    case "boolean":
      return "bool";
    case "number":
      return "double";
    case "string":
      return "string";
    case "array":
      return "list";
    case "object":
      return "map";
  }
}
