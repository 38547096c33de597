import { closestName } from "@assay/protocol";
import type { ASTNode } from "@marcbachmann/cel-js";
import type { Field } from "./catalogue.ts";
import type { ConditionScope } from "./condition-scope.ts";

/** The field that a name stands for. Undefined, with a fault, when there is none. */
export function readName(node: ASTNode, scope: ConditionScope): Field | undefined {
  const path = pathOf(node, scope.text);
  if (path === undefined) {
    scope.fault(node.start, "Only a name may stand before a dot.");
    return undefined;
  }
  if (scope.element !== undefined && (path === scope.element.name || path.startsWith(`${scope.element.name}.`))) {
    return readElement(path, node.start, scope.element, scope);
  }
  const field = scope.catalogue.field(path);
  if (field === undefined) scope.fault(node.start, unknownName(path, scope));
  return field;
}

/** A dotted name as it is written; undefined for anything else. The tree holds window keys in CEL's spelling. */
export function pathOf(node: ASTNode, text: string): string | undefined {
  if (node.op === "id") return text.slice(node.start, node.end);
  if (node.op !== ".") return undefined;
  const parent = pathOf(node.args[0], text);
  return parent && `${parent}.${text.slice(node.pos, node.end)}`;
}

/** What is wrong with a name that is not known. */
export function unknownName(path: string, { catalogue }: ConditionScope): string {
  const [root = "", name] = path.split(".");
  if (/^(true|false)$/i.test(path)) return `CEL writes ${path.toLowerCase()} for ${path}.`;
  if (root === "lists" && name !== undefined && catalogue.lists.has(name)) {
    return `A list stands after "in", as in identification.visitor_id in ${path}.`;
  }
  const meant = catalogue.suggest(path);
  if (meant !== undefined) return `${path} is not a known name. Did you mean ${meant}?`;
  const isDeclared = root === "facts" || root === "counters" || root === "lists";
  return `${path} is not a known name.${isDeclared ? ` Declare it under ${root}.` : ""}`;
}

// The variable alone stands for a plain element; of others a field must be named.
function readElement(
  path: string,
  at: number,
  { name, list }: NonNullable<ConditionScope["element"]>,
  scope: ConditionScope,
): Field | undefined {
  const below = path.slice(name.length + 1);
  const elements = list.elements ?? [];
  const field = elements.find(({ keys }) => keys.join(".") === below);
  if (field !== undefined) return field;
  const names = elements.map(({ keys }) => [name, ...keys].join("."));
  const meant = closestName(path, names);
  const fix = meant === undefined ? `It is one of ${names.join(", ")}.` : `Did you mean ${meant}?`;
  scope.fault(at, `${path} is not a known name of an element of ${list.path}. ${fix}`);
  return undefined;
}
