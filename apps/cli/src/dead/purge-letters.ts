import { dropLetters } from "@assay/ledger";
import { LETTER_KINDS } from "@assay/protocol";
import { parseDurationMs } from "@assay/rules";
import { count } from "../faults.ts";
import { CommandError, EXIT, type Report, type World } from "../report.ts";
import { type LetterName, nameOf } from "./letter-name.ts";
import { atLetters, type LetterPlace, type TenantOptions } from "./letter-place.ts";
import { isLetter, pickLetters, readSelection, type Selection, type SelectionOptions } from "./pick-letters.ts";

export interface PurgeOptions extends SelectionOptions, TenantOptions {
  readonly olderThan?: string;
  readonly all?: boolean;
  readonly yes?: boolean;
}

/** `assay dead purge`: removes letters for good. Without `--yes` it only says how many, and fails. */
export async function purgeLetters(names: readonly string[], options: PurgeOptions, world: World): Promise<Report> {
  const selection = selectionOf(names, options, world.now);
  return await atLetters(options, world, async (place) => {
    const { found, missing } = await find(place, selection);
    if (options.yes !== true) {
      const what = `${count(found.length, "dead letter")} would be removed for good. Nothing was done: say --yes to do it.`;
      throw new CommandError(EXIT.usage, what);
    }
    const purged = await drop(place, found);
    return {
      exitCode: missing.length > 0 ? EXIT.unavailable : EXIT.fine,
      json: { purged, missing },
      text: [...missing.map((name) => `${name} is not there.`), `Removed ${count(purged, "dead letter")}.`].join("\n"),
    };
  });
}

function selectionOf(names: readonly string[], { olderThan, all = false, ...filters }: PurgeOptions, now: number) {
  if (olderThan === undefined) return readSelection(names, filters, { all });
  const ageMs = parseDurationMs(olderThan);
  if (ageMs !== undefined) return readSelection(names, filters, { all, before: now - ageMs });
  throw new CommandError(EXIT.usage, "--older-than must be a duration: 90s, 30m, 12h or 7d.");
}

async function find(place: LetterPlace, selection: Selection): Promise<{ found: LetterName[]; missing: string[] }> {
  const [found, missing]: [LetterName[], string[]] = [[], []];
  for await (const picked of pickLetters(place, selection)) {
    const { kind, entryId } = picked;
    if (isLetter(picked)) found.push({ kind, entryId });
    else missing.push(nameOf(picked));
  }
  return { found, missing };
}

async function drop({ redis, keys }: LetterPlace, letters: readonly LetterName[]): Promise<number> {
  let dropped = 0;
  for (const kind of LETTER_KINDS) {
    const entryIds = letters.filter((letter) => letter.kind === kind).map(({ entryId }) => entryId);
    dropped += await dropLetters(redis, keys, kind, entryIds);
  }
  return dropped;
}
