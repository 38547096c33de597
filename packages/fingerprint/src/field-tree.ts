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

/** A field that is to be read, with all below it; or, where `inner` says so, some of that alone. */
export interface ChosenField {
  readonly name: string;
  readonly node: FieldNode;
  readonly inner?: readonly ChosenField[];
}

/** What says whether it is an event, and how it is read. */
const NEEDED = ["event_id", "timestamp", "incremental_identification_status"];

/** The fields with these paths, and those that every event needs. A path that is not known chooses nothing. */
export function chooseFields(paths: ReadonlySet<string>): readonly ChosenField[] {
  return chosenAmong(FIELD_TREE, new Set([...NEEDED, ...paths]));
}

function chosenAmong(nodes: ReadonlyMap<string, FieldNode>, paths: ReadonlySet<string>): ChosenField[] {
  return [...nodes].flatMap(([name, node]): ChosenField[] => {
    if (paths.has(node.path)) return [{ name, node }];
    const inner = chosenAmong(node.children, paths);
    return inner.length === 0 ? [] : [{ name, node, inner }];
  });
}
