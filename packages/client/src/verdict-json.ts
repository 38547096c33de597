import { isRecord, type Verdict } from "@assay/protocol";

const SCHEMA: Verdict["schema"] = "assay.verdict/1";

/** Reads a verdict's JSON as Assay wrote it. Throws a TypeError on anything else. */
export function readVerdictJson(json: string): Verdict {
  const value: unknown = JSON.parse(json);
  if (!isVerdict(value)) throw new TypeError(`This is no verdict of the schema ${SCHEMA}.`);
  return value;
}

/**
 * Whether a value is a verdict. Assay alone writes them, so the schema's name is proof enough; it keeps zod out of the
 * caller's process.
 */
export function isVerdict(value: unknown): value is Verdict {
  return isRecord(value) && value["schema"] === SCHEMA;
}
