import { isScalar, isSeq } from "yaml";
import type { Catalogue, Field } from "../condition/catalogue.ts";
import type { FaultList } from "./fault.ts";
import { type Entry, type PlacedText, readTexts } from "./yaml-entries.ts";

interface FieldScope {
  readonly catalogue: Catalogue;
  readonly faults: FaultList;
}

const MAX_KEY_FIELDS = 4;

/** Fields whose value no two events share. */
const UNIQUE = ["event_id", "timestamp"];

/** Fields that say whatever the visitor's browser sends, by their first keys. */
const BROWSER_SAID = [
  "linked_id",
  "tags",
  "url",
  "client_referrer",
  "user_agent",
  "os",
  "os_version",
  "device",
  "browser_details",
  "raw_device_attributes",
  "context.origin",
  "context.user_agent",
];

/** Reads the `key` of a counter: a name, or a list of up to four. */
export function readKey(entry: Entry, scope: FieldScope): Field[] | undefined {
  const { faults } = scope;
  const paths = readPaths(entry, faults);
  const fields = paths.map((path) => readField(path, "key", scope));
  if (isSeq(entry.value) && (paths.length === 0 || paths.length > MAX_KEY_FIELDS)) {
    faults.add(entry.valueAt, `key must be one name or a list of 1 to ${MAX_KEY_FIELDS}.`);
  }
  for (const [index, { text, at }] of paths.entries()) {
    if (UNIQUE.includes(text)) {
      faults.add(
        at,
        `Every event has another ${text}, so nothing would be counted together. Count by who or where it is.`,
      );
    }
    if (paths.findIndex((path) => path.text === text) < index) faults.add(at, `${text} stands twice in this key.`);
  }
  const known = fields.filter((field) => field !== undefined);
  return known.length === fields.length && fields.length > 0 ? known : undefined;
}

/** Reads the `distinct` of a counter with that key. */
export function readDistinct(entry: Entry, key: readonly Field[], scope: FieldScope): Field | undefined {
  const [path] = isSeq(entry.value) ? [] : readPaths(entry, scope.faults);
  if (path === undefined) {
    scope.faults.add(entry.valueAt, "distinct must be one name, as in distinct: context.user_id");
    return undefined;
  }
  if (key.some((field) => field.path === path.text)) {
    scope.faults.add(path.at, `${path.text} is part of the key, so there is never more than one of it.`);
  }
  return readField(path, "distinct", scope);
}

function readPaths(entry: Entry, faults: FaultList): PlacedText[] {
  if (isSeq(entry.value)) return readTexts(entry, faults);
  const value = isScalar(entry.value) ? entry.value.value : undefined;
  if (typeof value === "string" && value !== "") return [{ text: value, at: entry.valueAt }];
  faults.add(entry.valueAt, `${entry.name} must be a name, as in identification.visitor_id`);
  return [];
}

function readField({ text: path, at }: PlacedText, use: string, { catalogue, faults }: FieldScope): Field | undefined {
  const field = catalogue.field(path);
  if (field === undefined) {
    const meant = catalogue.suggest(path);
    faults.add(at, `${path} is not a known name.${meant === undefined ? "" : ` Did you mean ${meant}?`}`);
    return undefined;
  }
  if (field.root !== "event" && field.root !== "context" && field.root !== "facts") {
    faults.add(at, `${path} cannot be a counter's ${use}. Take a signal, a context field or a fact.`);
    return undefined;
  }
  if (field.type === "object" || field.type === "array") {
    faults.add(at, `${path} is not a single value. Take one text, number or boolean.`);
    return undefined;
  }
  if (BROWSER_SAID.some((said) => path === said || path.startsWith(`${said}.`))) {
    faults.warn(
      at,
      `${path} is what the browser says: a visitor who changes it is counted anew. Prefer what it cannot choose, such as ` +
        "identification.visitor_id, ip_address or context.user_id.",
    );
  }
  return field;
}
