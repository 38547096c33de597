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
  environment.registerFunction("age(double): double", (time: number) => time);
  environment.registerFunction("lower(string): string", (text: string) => text.toLowerCase());
  const fields = [...catalogue.fields.values()];
  for (const field of fields) {
    if (!isPlainList(field) && field.elements !== undefined) {
      environment.registerType({ name: elementType(field), schema: schemaOf(field.elements.map(placed)) });
    }
  }
  for (const [name, type] of Object.entries(schemaOf([...fields.map(placed), ...listsOf(catalogue)]))) {
    if (typeof type === "string") environment.registerVariable(name, type);
    else environment.registerVariable({ name, schema: type });
  }
  return environment;
}

/** A type by the keys that lead to it. */
interface Placed {
  readonly keys: readonly string[];
  readonly type: string;
}

function placed(field: Field): Placed {
  return { keys: field.root === "element" ? field.keys : field.path.split("."), type: celType(field) };
}

// What a list may be asked for is checked by its own type; to the library it holds anything.
function listsOf(catalogue: Catalogue): Placed[] {
  return [...catalogue.lists.keys()].map((name) => ({ keys: ["lists", name], type: "list" }));
}

function schemaOf(fields: readonly Placed[]): ObjectSchema {
  const root: ObjectSchema = {};
  for (const { keys, type } of fields) {
    const [last = "", ...parents] = keys.map(celKey).toReversed();
    let group = root;
    for (const key of parents.toReversed()) {
      const inner = group[key];
      group = typeof inner === "object" ? inner : (group[key] = {});
    }
    group[last] ??= type;
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
      if (field.elements === undefined) return "list";
      return `list<${isPlainList(field) ? field.elements.map(celType).join("") : elementType(field)}>`;
    case "object":
      return "map";
  }
}

function isPlainList({ elements }: Field): boolean {
  return elements?.[0]?.keys.length === 0;
}

function elementType({ path }: Field): string {
  return `Element_${path.replaceAll(".", "_")}`;
}
