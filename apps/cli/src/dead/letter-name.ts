import type { DeadLetter } from "@assay/ledger";
import { LETTER_KINDS, type LetterKind } from "@assay/protocol";
import { CommandError, EXIT } from "../report.ts";

/** What names a dead letter of a tenant. */
export type LetterName = Pick<DeadLetter, "kind" | "entryId">;

/** As people and programs name it: `input/1764252565000-0`. */
export function nameOf({ kind, entryId }: LetterName): string {
  return `${kind}/${entryId}`;
}

/** Reads such a name. Throws a CommandError that says what one looks like. */
export function readName(text: string): LetterName {
  const [, word, entryId] = /^([a-z]+)\/(\d{1,20}-\d{1,20})$/.exec(text) ?? [];
  const kind: LetterKind | undefined = LETTER_KINDS.find((known) => known === word);
  if (kind !== undefined && entryId !== undefined) return { kind, entryId };
  throw new CommandError(
    EXIT.usage,
    `${text} names no dead letter: take a name of assay dead list, such as input/1764252565000-0.`,
  );
}
