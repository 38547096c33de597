import { createHash } from "node:crypto";
import { closestName } from "@assay/protocol";
import { type ListType } from "../condition/list-type.ts";
import { createListInSteps, type List, type ListEntry, readListValue } from "../condition/list.ts";
import { calendarDayMs } from "./calendar-day.ts";
import type { Steps } from "../steps.ts";
import { FaultList } from "./fault.ts";

/** A list as its file says it. */
export interface ListFile {
  /** Undefined when the file has a fault. */
  readonly list: List | undefined;
  /** Stands for all that can change what the list matches. */
  readonly digest: string;
  readonly faults: FaultList;
}

const MAX_ENTRIES = 100_000;
const STEP = 1000;
const MAX_BYTES = 8 * 1024 * 1024;
/** Faults told of one file; a file of another type has one in every line. */
const MAX_FAULTS = 20;

const VALUE = /^(?:"(?:[^"\\]|\\.)*"|\S+)/;
/** What an unquoted value does not hold: the punctuation of other formats, and characters that nobody sees. */
const FOREIGN = /^'|[,;]|[\p{Cc}\p{Cf}]/u;
const KEYS = ["until", "by", "why"];
const UNTIL = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;
const DAY_MS = 86_400_000;

/**
 * Reads the text of a list: one value a line, then in any order `until=` (a day, which it includes, or a time), `by=`
 * and, last, `why=`. `#` begins a comment. A value that holds white space stands in double quotes, as JSON writes it.
 * Entries that are over at `nowMs` bring a warning. A step is a thousand entries.
 */
export function* readListFile(type: ListType, file: string, text: string, nowMs?: number): Steps<ListFile> {
  const faults = new FaultList(file, text);
  const entries = yield* readEntries(type, faults);
  if (nowMs !== undefined) warnOfExpired(entries, nowMs, faults);
  const matched = entries.map(({ text: value, untilMs }) => [value, untilMs]);
  const digest = createHash("sha256")
    .update(JSON.stringify([type, matched]))
    .digest("hex")
    .slice(0, 16);
  return { list: faults.isEmpty ? yield* createListInSteps(type, entries) : undefined, digest, faults };
}

interface PlacedEntry extends ListEntry {
  readonly at: number;
}

function* readEntries(type: ListType, faults: FaultList): Steps<PlacedEntry[]> {
  const { text } = faults;
  const entries: PlacedEntry[] = [];
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_BYTES) {
    faults.add(0, `A list may take at most ${MAX_BYTES / 1024 / 1024} MiB; this one takes ${bytes} bytes.`);
    return entries;
  }
  for (const { line, at } of linesOf(text)) {
    if (entries.length === MAX_ENTRIES) {
      faults.add(at, `A list may hold at most ${MAX_ENTRIES} entries.`);
      break;
    }
    const entry = readEntry(type, line, at, faults);
    if (entry !== undefined) entries.push(entry);
    if (entries.length % STEP === 0) yield;
    if (faults.faults.length >= MAX_FAULTS) {
      faults.add(at, `These are ${MAX_FAULTS} faults of this list. The lines below were not read.`);
      break;
    }
  }
  return entries;
}

function warnOfExpired(entries: readonly PlacedEntry[], nowMs: number, faults: FaultList): void {
  const expired = entries.filter(({ untilMs }) => untilMs !== undefined && untilMs < nowMs);
  const [first] = expired;
  if (first === undefined) return;
  const many = expired.length === 1 ? "" : ` So are ${expired.length - 1} more below.`;
  faults.warn(first.at, `This entry is past its until and matches nothing any more. Remove it.${many}`);
}

// The lines that hold an entry, and where each begins.
function* linesOf(text: string): Generator<{ line: string; at: number }> {
  let at = 0;
  while (at < text.length) {
    const end = text.indexOf("\n", at);
    const next = end === -1 ? text.length : end;
    const line = text.slice(at, next).trim();
    if (line !== "" && !line.startsWith("#")) yield { line, at: text.indexOf(line.charAt(0), at) };
    at = next + 1;
  }
}

function readEntry(type: ListType, line: string, at: number, faults: FaultList): PlacedEntry | undefined {
  const written = VALUE.exec(line)?.[0] ?? "";
  const text = written.startsWith('"') ? unquoted(written) : written;
  if (text === undefined) {
    faults.add(at, "This quoted value cannot be read. Write it as JSON does.");
    return undefined;
  }
  const wrong = readListValue(type, text);
  if (wrong !== undefined) faults.add(at, wrong);
  else if (!written.startsWith('"')) refuseForeign(written, at, faults);
  const hasNotes = written.length < line.length;
  const untilMs = hasNotes ? readNotes(line.slice(written.length), at + written.length, faults) : undefined;
  return untilMs === undefined ? { text, at } : { text, at, untilMs };
}

function refuseForeign(written: string, at: number, faults: FaultList): void {
  const found = FOREIGN.exec(written);
  if (found === null) return;
  const [character] = found;
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  const what = /[,;']/.test(character)
    ? `${character} is no part of a plain value`
    : `Here is a character that is not seen (U+${code})`;
  faults.add(
    at + found.index,
    `${what}. A line holds one value and no more; a value that holds it is quoted: ${JSON.stringify(written)}`,
  );
}

function unquoted(written: string): string | undefined {
  try {
    const text: unknown = JSON.parse(written);
    return typeof text === "string" && text !== "" ? text : undefined;
  } catch {
    return undefined;
  }
}

// Reads what stands after a value, and returns the last ms of the entry.
function readNotes(notes: string, start: number, faults: FaultList): number | undefined {
  const seen = new Set<string>();
  let untilMs: number | undefined;
  for (const { 0: note, index } of notes.matchAll(/\S+/g)) {
    const at = start + index;
    if (note.startsWith("#")) return untilMs;
    const [, key = "", value = ""] = /^([^=]*)=?(.*)$/.exec(note) ?? [];
    if (!KEYS.includes(key) || !note.includes("=")) {
      faults.add(at, unknownNote(note, key));
      return untilMs;
    }
    if (seen.has(key)) faults.add(at, `${key} stands twice.`);
    seen.add(key);
    if (key === "why") {
      const late = /\s(?=(?:until|by)=)/.exec(notes.slice(index));
      if (late !== null)
        faults.add(at + late.index + 1, "why= takes the rest of the line. Put until= and by= before it.");
      return untilMs;
    }
    if (value === "") faults.add(at, `${key}= needs a value.`);
    else if (key === "until" && (untilMs = readUntilMs(value)) === undefined) {
      faults.add(at + "until=".length, "until must be a day, as in 2026-12-31, or a time, as in 2026-12-31T18:00:00Z.");
    }
  }
  return untilMs;
}

function unknownNote(note: string, key: string): string {
  const meant = closestName(key, KEYS);
  if (meant !== undefined) return `${note} is not known after a value. Did you mean ${meant}=?`;
  return `${note} is not known after a value. It is followed by until=, by=, why= or a comment; quote a value with spaces.`;
}

// The last ms at which an entry matches: all of its day, or up to its time.
function readUntilMs(text: string): number | undefined {
  const [, day = "", time] = UNTIL.exec(text) ?? [];
  const dayMs = calendarDayMs(day);
  if (dayMs === undefined || time === undefined) return dayMs && dayMs + DAY_MS - 1;
  const timeMs = Date.parse(text);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}
