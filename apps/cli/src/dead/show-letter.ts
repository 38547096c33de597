import { isUtf8 } from "node:buffer";
import { inflateRawSync } from "node:zlib";
import { type DeadLetter, readLetter } from "@assay/ledger";
import { isRecord, MAX_EVENT_BYTES } from "@assay/protocol";
import { showColumns } from "../columns.ts";
import { CommandError, EXIT, type Report, type World } from "../report.ts";
import { nameOf, readName } from "./letter-name.ts";
import { atLetters, type TenantOptions } from "./letter-place.ts";
import { lineOf } from "./list-letters.ts";

export interface ShowOptions extends TenantOptions {
  readonly full?: boolean;
}

/** Fields that say nothing of a visitor, beside what a list shows. All others are shown on demand alone. */
const OPEN_FIELDS = ["received_at", "entry", "deliveries", "delivery"];
const OF_VERDICT = ["kind", "action", "undecided", "ruleset", "decided_at", "redrive_of", "test"];
const OF_SUBMISSION = ["kind", "event_id", "ruleset"];

/** `assay dead show`: one letter. Payload, context, event and verdict are personal, and left out unless `full` asks. */
export async function showLetter(text: string, options: ShowOptions, world: World): Promise<Report> {
  const name = readName(text);
  const letter = await atLetters(options, world, ({ redis, keys }) => readLetter(redis, keys, name.kind, name.entryId));
  if (letter === undefined) throw new CommandError(EXIT.unavailable, `${nameOf(name)} is not there.`);
  const { at, ...line } = lineOf(letter);
  const open = OPEN_FIELDS.flatMap((field) => {
    const value = letter.fields.get(field)?.toString();
    return value === undefined ? [] : [[field, /^\d+$/.test(value) ? Number(value) : value] as const];
  });
  const about = { ...line, at, ...Object.fromEntries(open), ...outlineOf(letter) };
  const contents = options.full === true ? contentsOf(letter) : undefined;
  const rows = Object.entries(about).map(([field, value]) => [field, showValue(field, value)]);
  return {
    exitCode: EXIT.fine,
    json: contents === undefined ? about : { ...about, contents },
    text: [...showColumns(rows), ...(contents === undefined ? [] : [JSON.stringify(contents, null, 2)])].join("\n"),
  };
}

/** What it is about, without values of a visitor's. */
function outlineOf({ fields }: DeadLetter): Record<string, unknown> {
  const submission = jsonOf(fields.get("meta") ?? fields.get("m"));
  const carried = jsonOf(fields.get("v") ?? fields.get("envelope") ?? fields.get("body"));
  const verdict = isRecord(carried) && isRecord(carried["data"]) ? carried["data"] : carried;
  const payload = fields.get("payload");
  return {
    ...(isRecord(submission)
      ? { submission: { ...pick(submission, OF_SUBMISSION), ...contextFields(submission) } }
      : {}),
    ...(isRecord(verdict) ? { verdict: pick(verdict, OF_VERDICT) } : {}),
    ...(payload === undefined ? {} : { payload_bytes: payload.length }),
  };
}

function contextFields({ context }: Record<string, unknown>): { readonly context_fields?: readonly string[] } {
  return isRecord(context) ? { context_fields: Object.keys(context) } : {};
}

function pick(record: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.flatMap((name) => (record[name] === undefined ? [] : [[name, record[name]]])));
}

/** Every other field: as JSON, as text, or as base64. */
function contentsOf({ fields }: DeadLetter): Record<string, unknown> {
  const shown = new Set([...OPEN_FIELDS, "code", "id", "at", "group", "endpoint"]);
  return Object.fromEntries(
    [...fields].flatMap(([name, value]) => (shown.has(name) ? [] : [[name, contentOf(name, value)]])),
  );
}

function contentOf(name: string, value: Buffer): unknown {
  const plain = name === "e" ? inflate(value) : value;
  return jsonOf(plain) ?? (isUtf8(plain) ? plain.toString() : plain.toString("base64"));
}

// The event of an entry of the archive.
function inflate(value: Buffer): Buffer {
  try {
    return inflateRawSync(value, { maxOutputLength: 2 * MAX_EVENT_BYTES });
  } catch {
    return value;
  }
}

function jsonOf(value: Buffer | undefined): unknown {
  try {
    return value === undefined ? undefined : JSON.parse(value.toString());
  } catch {
    return undefined;
  }
}

function showValue(field: string, value: unknown): string {
  if (field === "at" || field === "received_at") return new Date(Number(value)).toISOString();
  return typeof value === "string" ? value : JSON.stringify(value);
}
