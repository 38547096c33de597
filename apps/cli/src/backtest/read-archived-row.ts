import { inflateRawSync } from "node:zlib";
import type { ChosenField } from "@assay/fingerprint";
import { isRecord, MAX_EVENT_BYTES, redriveOf } from "@assay/protocol";
import { readRowFrom, type ReadRow } from "./read-row.ts";

/**
 * Reads a line that the archive wrote, as the row that it would be in a file: the same is found either way. Its context
 * is all that there was, and its id tells whether it was redriven. Never throws.
 */
export function readArchivedRow(line: string, fields?: readonly ChosenField[]): ReadRow {
  let isRedriven = false;
  const read = readRowFrom(() => {
    const archived: unknown = JSON.parse(line);
    const id = isRecord(archived) ? archived["id"] : undefined;
    isRedriven = typeof id === "string" && redriveOf(id) !== undefined;
    return rowJson(archived);
  }, fields);
  return read.ok && isRedriven ? { ok: true, row: { ...read.row, isRedriven } } : read;
}

function rowJson(archived: unknown): unknown {
  if (!isRecord(archived)) return archived;
  const { received_at, submission, checks, outcomes, event } = archived;
  const { kind, ruleset, context = {} } = isRecord(submission) ? submission : {};
  return { event: inflated(event), received_at, kind, ruleset, context, checks, outcomes };
}

function inflated(hex: unknown): unknown {
  if (typeof hex !== "string") return undefined;
  // A little above the limit of an event, which may have grown by a few names since it was measured.
  const json = inflateRawSync(Buffer.from(hex, "hex"), { maxOutputLength: 2 * MAX_EVENT_BYTES });
  return JSON.parse(json.toString("utf8"));
}
