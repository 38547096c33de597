import { EVENT_FIELDS, type EventField } from "@assay/protocol";

/** A known field of a v4 event with the fields inside it. No children: a value, or an object of the customer's own. */
export interface FieldNode {
  readonly path: string;
  readonly field: EventField;
  readonly children: ReadonlyMap<string, FieldNode>;
}

/** The catalogue of v4 fields as a tree, so that an event is read in one walk without building paths. */
export const FIELD_TREE: ReadonlyMap<string, FieldNode> = grow("");

function grow(parent: string): ReadonlyMap<string, FieldNode> {
  const prefix = parent === "" ? "" : `${parent}.`;
  const nodes = new Map<string, FieldNode>();
  for (const [path, field] of Object.entries(EVENT_FIELDS)) {
    const name = path.slice(prefix.length);
    if (!path.startsWith(prefix) || name.includes(".")) continue;
    nodes.set(name, { path, field, children: grow(path) });
  }
  return nodes;
}
