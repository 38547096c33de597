import { compareStreamIds, type DeadLetter, type LetterTally, readLetterTally, walkLetters } from "@assay/ledger";
import { LETTER_KINDS, type LetterKind } from "@assay/protocol";
import { showColumns } from "../columns.ts";
import { showBytes } from "../doctor/amounts.ts";
import { CommandError, EXIT, type Report, type World } from "../report.ts";
import { type LetterName, nameOf, readName } from "./letter-name.ts";
import { atLetters, type LetterPlace, type TenantOptions } from "./letter-place.ts";
import type { SelectionOptions } from "./pick-letters.ts";

export interface ListOptions extends SelectionOptions, TenantOptions {
  readonly limit: string;
  readonly before?: string;
}

const MAX_LIMIT = 1000;

/** What of a letter is in a list: nothing of its visitor. */
export interface LetterLine {
  readonly letter: string;
  readonly kind: LetterKind;
  readonly code: string;
  /** Unix ms. */
  readonly at: number;
  readonly bytes: number;
  /** The submission. */
  readonly id?: string;
  readonly group?: string;
  readonly endpoint?: string;
}

/** `assay dead list`: a line for each letter, newest first, and how many there are of each kind. */
export async function listLetters(options: ListOptions, world: World): Promise<Report> {
  const limit = readLimit(options.limit);
  const before = options.before === undefined ? undefined : readName(options.before);
  return await atLetters(options, world, async (place) => {
    const kinds = options.kind === undefined ? LETTER_KINDS : [options.kind];
    const found = await Promise.all(kinds.map((kind) => latest(place, kind, { ...options, before, limit: limit + 1 })));
    const letters = found.flat().toSorted(newestFirst);
    const page = letters.slice(0, limit);
    const tallies = await Promise.all(
      LETTER_KINDS.map(async (kind) => [kind, await readLetterTally(place.redis, place.keys, kind)] as const),
    );
    const next = letters.length > limit ? page.at(-1)?.letter : undefined;
    const more = next === undefined ? [] : [`More: --before ${next}`];
    return {
      exitCode: EXIT.fine,
      json: { letters: page, kinds: Object.fromEntries(tallies), ...(next === undefined ? {} : { next }) },
      text: [...showColumns(page.map(showLine)), showTallies(tallies), ...more].join("\n"),
    };
  });
}

/** What may be told of a letter. */
export function lineOf(letter: DeadLetter): LetterLine {
  const { kind, code, at, bytes, id, fields } = letter;
  const [group, endpoint] = [fields.get("group")?.toString(), fields.get("endpoint")?.toString()];
  return {
    letter: nameOf(letter),
    kind,
    code,
    at,
    bytes,
    ...(id === undefined ? {} : { id }),
    ...(group === undefined ? {} : { group }),
    ...(endpoint === undefined ? {} : { endpoint }),
  };
}

/** The same, in columns. */
export function showLine({ letter, code, at, bytes, id = "-", group, endpoint }: LetterLine): string[] {
  const whose = group === undefined ? (endpoint === undefined ? "" : `endpoint ${endpoint}`) : `group ${group}`;
  return [letter, code, new Date(at).toISOString(), id, showBytes(bytes), whose];
}

async function latest(
  { redis, keys }: LetterPlace,
  kind: LetterKind,
  { code, before, limit }: { code?: string; before: LetterName | undefined; limit: number },
): Promise<LetterLine[]> {
  const lines: LetterLine[] = [];
  const from = before === undefined ? {} : { from: before.entryId };
  for await (const letter of walkLetters(redis, keys, kind, { newestFirst: true, ...from })) {
    if (code !== undefined && letter.code !== code) continue;
    const line = lineOf(letter);
    if (before !== undefined && newestFirst({ letter: nameOf(before) }, line) >= 0) continue;
    lines.push(line);
    if (lines.length === limit) break;
  }
  return lines;
}

// Of one moment, in a fixed order.
function newestFirst(a: Pick<LetterLine, "letter">, b: Pick<LetterLine, "letter">): number {
  const [left, right] = [readName(a.letter), readName(b.letter)];
  const order = compareStreamIds(right.entryId, left.entryId);
  return order === 0 ? LETTER_KINDS.indexOf(right.kind) - LETTER_KINDS.indexOf(left.kind) : order;
}

function showTallies(tallies: readonly (readonly [LetterKind, LetterTally])[]): string {
  const counts = tallies.map(
    ([kind, { count, bytes }]) => `${count} ${kind}${count > 0 ? ` (${showBytes(bytes)})` : ""}`,
  );
  const dropped = tallies.reduce((sum, [, tally]) => sum + tally.dropped, 0);
  const gone = dropped === 0 ? "" : ` ${dropped} more went because there were too many.`;
  return `Dead letters: ${counts.join(", ")}.${gone}`;
}

function readLimit(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new CommandError(EXIT.usage, `--limit must be a whole number from 1 to ${MAX_LIMIT}.`);
}
