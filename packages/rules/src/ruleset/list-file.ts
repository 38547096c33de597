import { createHash } from "node:crypto";
import { closestName } from "@assay/protocol";
import { createList, type List, type ListType, readListValue } from "../condition/list.ts";
import { FaultList } from "./fault.ts";

/** A list as its file says it. */
export interface ListFile {
  /** Undefined when the file has a fault. */
  readonly list: List | undefined;
  /** Stands for all that can change what the list matches. */
  readonly digest: string;
  readonly faults: FaultList;
}

interface ListEntry {
  /** As it is written. */
  readonly text: string;
  /** The last ms at which it matches. */
  readonly untilMs?: number;
}

const MAX_ENTRIES = 100_000;
const MAX_BYTES = 8 * 1024 * 1024;
/** Faults told of one file; a file of another type has one in every line. */
const MAX_FAULTS = 20;

const VALUE = /^(?:"(?:[^"\\]|\\.)*"|\S+)/;
const KEYS = ["until", "by", "why"];
const DAY_MS = 86_400_000;

/**
 * Reads the text of a list: one value a line, then in any order `until=` (a day, which it includes, or a time), `by=`
 * and, last, `why=`. `#` begins a comment. A value that holds white space stands in double quotes, as JSON writes it.
 * `nowMs` is what entries must not be older than to go without a warning.
 */
export function readListFile(type: ListType, file: string, text: string, nowMs?: number): ListFile {
  const faults = new FaultList(file, text);
  const entries: ListEntry[] = [];
  const hash = createHash("sha256").update(type);
  let expired: number | undefined;
  let expiredCount = 0;
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_BYTES) {
    faults.add(0, `A list may take at most ${MAX_BYTES / 1024 / 1024} MiB; this one takes ${bytes} bytes.`);
    return { list: undefined, digest: "", faults };
  }
  for (const { line, at } of linesOf(text)) {
    const entry = readEntry(type, line, (offset, message) => faults.add(at + offset, message));
    if (entry !== undefined) {
      entries.push(entry);
      hash.update(`\n${JSON.stringify([entry.text, entry.untilMs])}`);
      if (nowMs !== undefined && entry.untilMs !== undefined && entry.untilMs < nowMs) {
        expired ??= at;
        expiredCount += 1;
      }
    }
    if (entries.length > MAX_ENTRIES) {
      faults.add(at, `A list may hold at most ${MAX_ENTRIES} entries.`);
      break;
    }
    if (faults.faults.length >= MAX_FAULTS) {
      faults.add(at, `This is fault ${MAX_FAULTS} of this list. The lines after it were not read.`);
      break;
    }
  }
  if (expired !== undefined) faults.warn(expired, describeExpired(expiredCount));
  const list = faults.isEmpty ? createList(type, entries) : undefined;
  return { list, digest: hash.digest("hex").slice(0, 16), faults };
}

function describeExpired(count: number): string {
  const rest = count === 2 ? " So is 1 more of this list." : ` So are ${count - 1} more of this list.`;
  return `This entry is past its until and never matches. Remove it.${count === 1 ? "" : rest}`;
}

// The lines that hold an entry, and where each begins.
function* linesOf(text: string): Generator<{ line: string; at: number }> {
  let at = 0;
  while (at < text.length) {
    const end = text.indexOf("\n", at);
    const next = end === -1 ? text.length : end;
    const line = text.slice(at, next).trimEnd();
    const indent = line.length - line.trimStart().length;
    if (line.length > indent && line.charAt(indent) !== "#") yield { line: line.slice(indent), at: at + indent };
    at = next + 1;
  }
}

function readEntry(type: ListType, line: string, fault: (at: number, message: string) => void): ListEntry | undefined {
  const written = VALUE.exec(line)?.[0] ?? "";
  const text = written.startsWith('"') ? unquoted(written) : written;
  if (text === undefined) {
    fault(0, "This quoted value cannot be read. Write it as JSON does.");
    return undefined;
  }
  const wrong = readListValue(type, text);
  if (wrong !== undefined) fault(0, wrong);
  const untilMs = readNotes(line, written.length, fault);
  return { text, ...(untilMs === undefined ? {} : { untilMs }) };
}

function unquoted(written: string): string | undefined {
  try {
    const text: unknown = JSON.parse(written);
    return typeof text === "string" && text !== "" ? text : undefined;
  } catch {
    return undefined;
  }
}

// Reads what stands after the value from `start` on, and returns the end of the entry's time.
function readNotes(line: string, start: number, fault: (at: number, message: string) => void): number | undefined {
  const seen = new Set<string>();
  let untilMs: number | undefined;
  for (const { 0: note, index } of line.slice(start).matchAll(/\S+/g)) {
    const at = start + index;
    if (note.startsWith("#")) return untilMs;
    const [, key = "", value = ""] = /^([^=]*)=?(.*)$/.exec(note) ?? [];
    if (!KEYS.includes(key) || !note.includes("=")) {
      fault(at, unknownNote(note, key));
      return untilMs;
    }
    if (seen.has(key)) fault(at, `${key} stands twice.`);
    seen.add(key);
    if (key === "why") return untilMs;
    if (value === "") fault(at, `${key}= needs a value.`);
    else if (key === "until" && (untilMs = readUntilMs(value)) === undefined) {
      fault(at, "until must be a day, as in 2026-12-31, or a time, as in 2026-12-31T18:00:00Z.");
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
  const [, day, time] =
    /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/.exec(text) ?? [];
  if (day === undefined) return undefined;
  const startMs = Date.parse(`${day}T00:00:00Z`);
  // February 30 would otherwise be March 2.
  if (Number.isNaN(startMs) || new Date(startMs).toISOString().slice(0, 10) !== day) return undefined;
  if (time === undefined) return startMs + DAY_MS - 1;
  const timeMs = Date.parse(text);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}
