import { readBlock, readBlocks } from "./address-blocks.ts";
import { keepLongest, type ListEntry, textAt } from "./list-entry.ts";
import type { ListType } from "./list-type.ts";
import { canonicalValue, faultOfValue, MAX_LISTED_TEXT, spellingsOf } from "./list-value.ts";
import { finishSteps, type Steps } from "../steps.ts";
import type { SlotValue } from "./slot-value.ts";

export type { ListEntry } from "./list-entry.ts";

const STEP = 1000;

/** A list of a ruleset: values that somebody keeps by hand or by script. */
export interface List {
  readonly type: ListType;
  /**
   * The entry that a value matches, as it is written, at a time in unix ms; false when none does, undefined when the
   * value is none of the list's type. Takes about as long for 100,000 entries as for one.
   */
  find(value: SlotValue, atMs: number): string | false | undefined;
}

/** What is wrong with a text as an entry of such a list; undefined when nothing is. */
export function readListValue(type: ListType, text: string): string | undefined {
  if (type !== "cidr") return faultOfValue(type, text);
  const block = readBlock(text);
  return typeof block === "string" ? block : undefined;
}

/** A list of entries that `readListValue` finds nothing wrong with. Of equal entries the one that lasts longest counts. */
export function createList(type: ListType, entries: readonly ListEntry[]): List {
  return finishSteps(createListInSteps(type, entries));
}

/** The same in steps of a thousand entries. */
export function* createListInSteps(type: ListType, entries: readonly ListEntry[]): Steps<List> {
  if (type === "cidr") {
    const blocks = yield* readBlocks(entries);
    return { type, find: (value, atMs) => blocks.find(value, atMs) };
  }
  const known = new Map<string, ListEntry>();
  for (const [index, entry] of entries.entries()) {
    if (index % STEP === 0) yield;
    for (const value of spellingsOf(type, entry.text)) keepLongest(known, value, entry);
  }
  let widest = 0;
  for (const value of known.keys()) widest = Math.max(widest, labelsIn(value));
  return {
    type,
    find: (given, atMs) => {
      const value = canonicalValue(type, given);
      if (value === undefined) return undefined;
      if (type === "email_domain") return findDomain(known, value, widest, atMs);
      return value.length <= MAX_LISTED_TEXT && textAt(known.get(value), atMs);
    },
  };
}

// The domain, then those it is part of, from as many labels on as an entry has.
function findDomain(
  known: ReadonlyMap<string, ListEntry>,
  domain: string,
  widest: number,
  atMs: number,
): string | false {
  let rest = domain;
  for (let labels = labelsIn(domain); ; labels--) {
    const found = labels <= widest && textAt(known.get(rest), atMs);
    if (found !== false || labels === 1) return found;
    rest = rest.slice(rest.indexOf(".") + 1);
  }
}

function labelsIn(domain: string): number {
  return domain.split(".").length;
}
