import { type DeadLetter, readLetter, walkLetters } from "@assay/ledger";
import { LETTER_KINDS, type LetterKind } from "@assay/protocol";
import { CommandError, EXIT } from "../report.ts";
import { type LetterName, readName } from "./letter-name.ts";
import type { LetterPlace } from "./letter-place.ts";

/** Which letters are meant: those that are named, or else all that fit. */
export interface Selection {
  readonly names: readonly LetterName[];
  readonly kind?: LetterKind;
  readonly code?: string;
  /** Laid aside before this time, unix ms. */
  readonly before?: number;
}

export interface SelectionOptions {
  readonly kind?: LetterKind;
  readonly code?: string;
}

/**
 * Reads what a command line says of the letters it means. Throws a CommandError where it names some and also says
 * others, or means none.
 */
export function readSelection(
  names: readonly string[],
  { kind, code }: SelectionOptions,
  others: { readonly before?: number; readonly all?: boolean } = {},
): Selection {
  const { before, all = false } = others;
  const isFiltered = kind !== undefined || code !== undefined || before !== undefined || all;
  if (names.length > 0 === isFiltered) {
    const what = isFiltered
      ? "either letters or what they have in common, not both"
      : "letters, or what they have in common";
    throw new CommandError(EXIT.usage, `Name ${what}: --kind, --code.`);
  }
  return {
    names: names.map(readName),
    ...(kind === undefined ? {} : { kind }),
    ...(code === undefined ? {} : { code }),
    ...(before === undefined ? {} : { before }),
  };
}

/** The letters that are meant, oldest first in each kind, and the names of those that are not there. */
export async function* pickLetters(
  { redis, keys }: LetterPlace,
  { names, kind, code, before = Number.POSITIVE_INFINITY }: Selection,
): AsyncGenerator<DeadLetter | LetterName, void> {
  for (const name of names) yield (await readLetter(redis, keys, name.kind, name.entryId)) ?? name;
  if (names.length > 0) return;
  for (const each of kind === undefined ? LETTER_KINDS : [kind]) {
    for await (const letter of walkLetters(redis, keys, each)) {
      if ((code === undefined || letter.code === code) && letter.at < before) yield letter;
    }
  }
}

/** Whether it is there. */
export function isLetter(picked: DeadLetter | LetterName): picked is DeadLetter {
  return "fields" in picked;
}
