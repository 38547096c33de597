import { isIP } from "node:net";
import { type Address, parseAddress } from "@assay/protocol";
import { keepLongest, type ListEntry, textAt } from "./list-entry.ts";
import type { SlotValue } from "./slots.ts";

/** Addresses that share their first bits. */
interface Block {
  readonly family: 4 | 6;
  readonly words: readonly number[];
  /** How many bits they share. */
  readonly length: number;
}

/** The longest text of an address, zone left out. */
const MAX_TEXT = 45;
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
  if (length < 0 || length > all) {
    return `A range of ${written} shares ${skipped} to ${all + skipped} bits, not ${bits}.`;
  }
  const words = masked(wordsOf(address), length);
  if (keyOf(words) === keyOf(wordsOf(address))) return { family: address.family, words, length };
  return `${text} has bits set after the first ${length}. Did you mean ${textOf(address.family, words)}/${length + skipped}?`;
}

/** Blocks of addresses, found by one look-up for each length that occurs. */
export class AddressBlocks {
  readonly #lengths: Record<4 | 6, number[]> = { 4: [], 6: [] };
  readonly #entries = new Map<string, ListEntry>();

  constructor(entries: readonly ListEntry[]) {
    const lengths = { 4: new Set<number>(), 6: new Set<number>() };
    for (const entry of entries) {
      const block = readBlock(entry.text);
      if (typeof block === "string") continue;
      lengths[block.family].add(block.length);
      keepLongest(this.#entries, placeOf(block), entry);
    }
    for (const family of [4, 6] as const) this.#lengths[family] = [...lengths[family]].toSorted((a, b) => b - a);
  }

  /** The narrowest block an address is in that still counts; undefined when the value is no address. */
  find(value: SlotValue, atMs: number): string | false | undefined {
    const address = typeof value === "string" && value.length <= MAX_TEXT ? parseAddress(value) : undefined;
    if (address === undefined) return undefined;
    const { family } = address;
    const words = wordsOf(address);
    for (const length of this.#lengths[family]) {
      const found = textAt(this.#entries.get(placeOf({ family, words: masked(words, length), length })), atMs);
      if (found !== false) return found;
    }
    return false;
  }
}

function wordsOf({ family, text }: Address): number[] {
  if (family === 4) {
    const [a = 0, b = 0, c = 0, d = 0] = text.split(".").map(Number);
    return [((a << 24) | (b << 16) | (c << 8) | d) >>> 0];
  }
  const groups = text.split(":").map((group) => Number.parseInt(group, 16));
  return [0, 2, 4, 6].map((at) => (((groups[at] ?? 0) << 16) | (groups[at + 1] ?? 0)) >>> 0);
}

function masked(words: readonly number[], length: number): number[] {
  return words.map((word, index) => {
    const kept = length - index * 32;
    if (kept >= 32) return word;
    return kept <= 0 ? 0 : (word & (-1 << (32 - kept))) >>> 0;
  });
}

function keyOf(words: readonly number[]): string {
  return words.map((word) => word.toString(36)).join(":");
}

function placeOf({ family, words, length }: Block): string {
  return `${family}/${length}/${keyOf(words)}`;
}

function textOf(family: 4 | 6, words: readonly number[]): string {
  if (family === 4) return words.map((word) => [24, 16, 8, 0].map((bits) => (word >>> bits) & 255).join(".")).join("");
  return words.map((word) => `${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`).join(":");
}
