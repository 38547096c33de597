import { isRecord, type Keys, type LetterKind } from "@assay/protocol";
import type { Redis } from "ioredis";
import { LAY_ASIDE, letterKeys } from "./lay-aside.ts";
import { createScript, text } from "./script.ts";
import { streamTimeOf } from "./stream-place.ts";

/** A dead letter, with all that it holds. */
export interface DeadLetter {
  readonly kind: LetterKind;
  /** Its place among those of its kind. */
  readonly entryId: string;
  /** Why it is one. */
  readonly code: string;
  /** When it was laid aside by Redis's clock, unix ms. */
  readonly at: number;
  /** Of all its values. */
  readonly bytes: number;
  /** The submission that it is about, where it can be read. */
  readonly id?: string;
  /** As they were written. */
  readonly fields: ReadonlyMap<string, Buffer>;
}

/** A submission that could not be opened. */
export interface InputLetter {
  readonly code: string;
  /** When it was decided, unix ms. */
  readonly at: number;
  readonly payload: Uint8Array;
}

// Of each at most some 512 KiB.
const PAGE = 20;
const DROPPED_AT_ONCE = 100;

const drop = createScript(`
${LAY_ASIDE}
local dead, tally = unpack(KEYS)
local rows = {}
for n, letter in ipairs(ARGV) do rows[n] = { take_letter(dead, tally, letter) and '1' or '0' } end
return rows
`);

/**
 * The dead letters of a kind that are there when it begins, page by page: oldest first, or newest first from an entry id
 * on. Throws what Redis throws.
 */
export async function* walkLetters(
  redis: Redis,
  keys: Keys,
  kind: LetterKind,
  options: { readonly newestFirst?: boolean; readonly from?: string } = {},
): AsyncGenerator<DeadLetter, void> {
  const dead = keys.deadLetters(kind);
  const [last] = await redis.xrevrange(dead, options.from ?? "+", "-", "COUNT", 1);
  if (last === undefined) return;
  let next = options.newestFirst === true ? last[0] : "-";
  for (;;) {
    const page = await (options.newestFirst === true
      ? redis.xrevrangeBuffer(dead, next, "-", "COUNT", PAGE)
      : redis.xrangeBuffer(dead, next, last[0], "COUNT", PAGE));
    for (const [entryId, fields] of page) yield readEntry(kind, entryId, fields);
    const end = page.at(-1)?.[0];
    if (end === undefined || page.length < PAGE) return;
    next = `(${end.toString()}`;
  }
}

/** One dead letter; undefined when it is not there. Throws what Redis throws. */
export async function readLetter(
  redis: Redis,
  keys: Keys,
  kind: LetterKind,
  entryId: string,
): Promise<DeadLetter | undefined> {
  const [entry] = await redis.xrangeBuffer(keys.deadLetters(kind), entryId, entryId);
  return entry === undefined ? undefined : readEntry(kind, entry[0], entry[1]);
}

/** Removes dead letters for good, and returns how many were still there. Throws what Redis throws. */
export async function dropLetters(
  redis: Redis,
  keys: Keys,
  kind: LetterKind,
  entryIds: readonly string[],
): Promise<number> {
  let dropped = 0;
  for (let start = 0; start < entryIds.length; start += DROPPED_AT_ONCE) {
    const rows = await drop.run(redis, letterKeys(keys, kind), entryIds.slice(start, start + DROPPED_AT_ONCE));
    dropped += rows.filter((row) => text(row[0]) === "1").length;
  }
  return dropped;
}

/** The latest input dead letters, newest first. Of each at most 128 KiB, so ask for few. */
export async function readInputLetters(redis: Redis, keys: Keys, limit: number): Promise<InputLetter[]> {
  const entries = await redis.xrevrangeBuffer(keys.deadLetters("input"), "+", "-", "COUNT", limit);
  return entries.map(([entryId, values]) => {
    const { code, fields } = readEntry("input", entryId, values);
    return { code, at: Number(fields.get("at") ?? 0), payload: fields.get("payload") ?? new Uint8Array() };
  });
}

function readEntry(kind: LetterKind, entryId: Buffer, values: readonly Buffer[]): DeadLetter {
  const fields = new Map<string, Buffer>();
  for (let at = 0; at + 1 < values.length; at += 2) fields.set(String(values[at]), values[at + 1] ?? Buffer.alloc(0));
  const id = submissionOf(kind, fields);
  const place = entryId.toString();
  return {
    kind,
    entryId: place,
    code: String(fields.get("code") ?? ""),
    at: streamTimeOf(place),
    bytes: [...fields.values()].reduce((sum, value) => sum + value.length, 0),
    ...(id === undefined ? {} : { id }),
    fields,
  };
}

// Letters of endpoints and of the archive hold it only in what they carry.
function submissionOf(kind: LetterKind, fields: ReadonlyMap<string, Buffer>): string | undefined {
  const id = fields.get("id")?.toString();
  if (id !== undefined && id !== "") return id;
  const carried = fields.get(kind === "pipeline" ? "v" : "body")?.toString();
  try {
    const body: unknown = JSON.parse(carried ?? "");
    return isRecord(body) && typeof body["id"] === "string" ? body["id"] : undefined;
  } catch {
    return undefined;
  }
}
