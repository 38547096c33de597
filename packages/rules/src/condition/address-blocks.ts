import { isIP } from "node:net";
import { type Address, parseAddress } from "@assay/protocol";
import { endOf, type ListEntry, textAt } from "./list-entry.ts";
import type { Steps } from "../steps.ts";
import type { SlotValue } from "./slot-value.ts";

/** Addresses that share their first bits. */
interface Block {
  readonly family: 4 | 6;
  readonly words: readonly number[];
  /** How many bits they share. */
  readonly length: number;
}

/** The longest text of an address, zone left out. */
const MAX_TEXT = 45;
const STEP = 1000;
const MAPPED_BITS = 96;

/** Reads `10.0.0.0/8`, `2001:db8::/32` or one address; what is wrong with it otherwise. v4 inside of v6 is v4. */
export function readBlock(text: string): Block | string {
  const [, written = "", bits] = /^([^/%]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = parseAddress(written);
  if (address === undefined) {
    return `${text} is not an address or a range of them. Write it as 192.0.2.0/24 or 2001:db8::/32.`;
  }
  const all = address.family === 4 ? 32 : 128;
  const skipped = address.family === 4 && isIP(written) === 6 ? MAPPED_BITS : 0;
  const length = bits === undefined ? all : Number(bits) - skipped;
  if (skipped > 0 && length === 0) return `${text} would be every IPv4 address. If it is meant, write it as 0.0.0.0/0.`;
  if (length < 0 || length > all) {
    return `A range of ${written} shares ${skipped} to ${all + skipped} bits, not ${bits}.`;
  }
  const given = wordsOf(address);
  const words = given.map((word, index) => maskedWord(word, index, length));
  if (words.every((word, index) => word === given[index])) return { family: address.family, words, length };
  return `${text} has bits set after the first ${length}. Did you mean ${textOf(address.family, words)}/${length + skipped}?`;
}

/** Reads the blocks of a list, a thousand a step. Entries that are none are left out. */
export function* readBlocks(entries: readonly ListEntry[]): Steps<AddressBlocks> {
  const placed: Record<4 | 6, PlacedEntry[]> = { 4: [], 6: [] };
  for (const [index, entry] of entries.entries()) {
    if (index % STEP === 0) yield;
    const block = readBlock(entry.text);
    if (typeof block !== "string") placed[block.family].push({ entry, block });
  }
  return new AddressBlocks({ 4: yield* sorted(placed[4]), 6: yield* sorted(placed[6]) });
}

// A thousand at first, then always two runs together: V8 sees that they are in order, and only merges them.
function* sorted(entries: readonly PlacedEntry[]): Steps<readonly PlacedEntry[]> {
  let runs: (readonly PlacedEntry[])[] = [];
  for (let at = 0; at < entries.length; at += STEP) runs.push(entries.slice(at, at + STEP));
  do {
    const longer: (readonly PlacedEntry[])[] = [];
    for (const [index, run] of runs.entries()) {
      if (index % 2 === 1) continue;
      longer.push([...run, ...(runs[index + 1] ?? [])].toSorted(byPlace));
      yield;
    }
    runs = longer;
  } while (runs.length > 1);
  return runs[0] ?? [];
}

/** Blocks of addresses. The narrowest one around an address is found by one binary search. */
class AddressBlocks {
  readonly #blocks: Record<4 | 6, BlockTree>;

  /** Entries in order of their place. */
  constructor(placed: Readonly<Record<4 | 6, readonly PlacedEntry[]>>) {
    this.#blocks = { 4: new BlockTree(4, placed[4]), 6: new BlockTree(6, placed[6]) };
  }

  /** The narrowest block an address is in that still counts; undefined when the value is no address. */
  find(value: SlotValue, atMs: number): string | false | undefined {
    const address = typeof value === "string" && value.length <= MAX_TEXT ? parseAddress(value) : undefined;
    return address && this.#blocks[address.family].find(wordsOf(address), atMs);
  }
}

interface PlacedEntry {
  readonly entry: ListEntry;
  readonly block: Block;
}

// Sorted by their first address, wider ones first, and of equal ones the one that lasts longest last. Two blocks overlap
// only if one is inside of the other.
class BlockTree {
  readonly #entries: readonly ListEntry[];
  readonly #width: number;
  readonly #words: Uint32Array;
  readonly #lengths: Uint8Array;
  /** The block around each, by its place; -1 when there is none. */
  readonly #around: Int32Array;

  constructor(family: 4 | 6, entries: readonly PlacedEntry[]) {
    this.#entries = entries.map(({ entry }) => entry);
    this.#width = family === 4 ? 1 : 4;
    this.#words = new Uint32Array(entries.length * this.#width);
    for (const [at, { block }] of entries.entries()) this.#words.set(block.words, at * this.#width);
    this.#lengths = Uint8Array.from(entries, ({ block }) => block.length);
    this.#around = new Int32Array(entries.length);
    let around = -1;
    for (const [at, { block }] of entries.entries()) {
      while (around !== -1 && !this.#holds(around, block.words)) around = this.#around[around] ?? -1;
      this.#around[at] = around;
      around = at;
    }
  }

  find(address: readonly number[], atMs: number): string | false {
    for (let at = this.#lastBefore(address); at !== -1; at = this.#around[at] ?? -1) {
      const found = this.#holds(at, address) && textAt(this.#entries[at], atMs);
      if (found !== false) return found;
    }
    return false;
  }

  // The place of the last block that does not begin after an address; -1 when all do.
  #lastBefore(address: readonly number[]): number {
    let low = 0;
    let high = this.#lengths.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#beginsAfter(middle, address)) high = middle;
      else low = middle + 1;
    }
    return low - 1;
  }

  #beginsAfter(at: number, address: readonly number[]): boolean {
    for (let index = 0; index < this.#width; index++) {
      const difference = this.#wordOf(at, index) - (address[index] ?? 0);
      if (difference !== 0) return difference > 0;
    }
    return false;
  }

  #holds(at: number, address: readonly number[]): boolean {
    const length = this.#lengths[at] ?? 0;
    for (let index = 0; index < this.#width; index++) {
      if (this.#wordOf(at, index) !== maskedWord(address[index] ?? 0, index, length)) return false;
    }
    return true;
  }

  #wordOf(at: number, index: number): number {
    return this.#words[at * this.#width + index] ?? 0;
  }
}

function byPlace(left: PlacedEntry, right: PlacedEntry): number {
  const { block: a } = left;
  const { block: b } = right;
  for (let index = 0; index < a.words.length; index++) {
    const difference = (a.words[index] ?? 0) - (b.words[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length || (endOf(left.entry) > endOf(right.entry) ? 1 : -1);
}

function wordsOf({ family, text }: Address): number[] {
  if (family === 4) {
    const [a = 0, b = 0, c = 0, d = 0] = text.split(".").map(Number);
    return [((a << 24) | (b << 16) | (c << 8) | d) >>> 0];
  }
  const groups = text.split(":").map((group) => Number.parseInt(group, 16));
  return [0, 2, 4, 6].map((at) => (((groups[at] ?? 0) << 16) | (groups[at + 1] ?? 0)) >>> 0);
}

// The bits of a word that are among the first `length` of the whole.
function maskedWord(word: number, index: number, length: number): number {
  const kept = length - index * 32;
  if (kept >= 32) return word;
  return kept <= 0 ? 0 : (word & (-1 << (32 - kept))) >>> 0;
}

function textOf(family: 4 | 6, words: readonly number[]): string {
  if (family === 4) return words.map((word) => [24, 16, 8, 0].map((bits) => (word >>> bits) & 255).join(".")).join("");
  return words.map((word) => `${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`).join(":");
}
