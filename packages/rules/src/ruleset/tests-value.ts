import { closestName, isRecord } from "@assay/protocol";
import { isScalar, type ParsedNode } from "yaml";
import type { Field, FieldType } from "../condition/catalogue.ts";
import { faultOfSpelling } from "../condition/spelling.ts";
import type { FaultList } from "./fault.ts";

/** The value that a test gives a field. Undefined, with a fault, when the field can never be this. */
export function readValue(field: Field, node: ParsedNode | null, at: number, faults: FaultList): unknown {
  const value: unknown = isScalar(node) ? node.value : node?.toJSON();
  const quote = field.type === "string" && isScalar(node) ? " Put it in quotes." : "";
  const wrong = isOf(field.type, value)
    ? faultOf(field, value)
    : `${field.path} is ${describeType(field.type)}.${quote}`;
  if (wrong === undefined) return value;
  faults.add(at, wrong);
  return undefined;
}

function faultOf({ path, values, least = -Infinity, most = Infinity }: Field, value: unknown): string | undefined {
  if (typeof value === "number" && !Number.isFinite(value)) return `${path} is never ${value}.`;
  if (typeof value === "number" && value < least) return `${path} is never below ${least}.`;
  if (typeof value === "number" && value > most) return `${path} is never above ${most}.`;
  const misspelt = typeof value === "string" ? faultOfSpelling(path, value) : undefined;
  if (misspelt !== undefined) return misspelt;
  if (values === undefined || values.some((known) => known === value)) return undefined;
  const meant = typeof value === "string" ? closestName(value, values.map(String)) : undefined;
  const fix = meant === undefined ? "" : ` Did you mean ${JSON.stringify(meant)}?`;
  const known = values.map((one) => JSON.stringify(one)).join(", ");
  return `${path} is never ${JSON.stringify(value)}; it is one of ${known}.${fix}`;
}

function isOf(type: FieldType, value: unknown): boolean {
  switch (type) {
    case "array":
      return Array.isArray(value);
    case "object":
      return isRecord(value);
    case "string":
    case "number":
    case "boolean":
      return typeof value === type;
  }
}

function describeType(type: FieldType): string {
  switch (type) {
    case "string":
      return "a text";
    case "number":
      return "a number";
    case "boolean":
      return "true or false";
    case "array":
      return "a list";
    case "object":
      return "a group of values";
  }
}
