import { createProducer, type Producer } from "@assay/client/producer";
import { type DeadLetter, redriveLetter, type Redriven } from "@assay/ledger";
import type { Lane } from "@assay/protocol";
import { showColumns } from "../columns.ts";
import { count } from "../faults.ts";
import { EXIT, type Report, type World } from "../report.ts";
import { nameOf } from "./letter-name.ts";
import { atLetters, type LetterPlace, type TenantOptions } from "./letter-place.ts";
import { lineOf, showLine } from "./list-letters.ts";
import { isLetter, pickLetters, readSelection, type Selection, type SelectionOptions } from "./pick-letters.ts";

export interface RedriveOptions extends SelectionOptions, TenantOptions {
  readonly dryRun?: boolean;
}

/** What became of one letter. */
type Fate = Redriven & { readonly letter: string };

const WHY = {
  unreadable: "it does not hold what it takes",
  too_often: "it was redriven 999 times",
  no_group: "its group is gone",
} as const;

const RUNG_AT_ONCE = 64;

/**
 * `assay dead redrive`: does once more what letters could not. Which they are is settled when it begins, so what fails
 * again is not redriven twice. It may be broken off and run again: nothing is done twice.
 */
export async function redriveLetters(names: readonly string[], options: RedriveOptions, world: World): Promise<Report> {
  const selection = readSelection(names, options);
  return await atLetters(options, world, async (place) =>
    options.dryRun === true
      ? await foresee(place, selection)
      : reportOf(await redriveAll(place, selection), names.length > 0),
  );
}

async function foresee(place: LetterPlace, selection: Selection): Promise<Report> {
  const lines = [];
  const missing: string[] = [];
  for await (const picked of pickLetters(place, selection)) {
    if (isLetter(picked)) lines.push(lineOf(picked));
    else missing.push(nameOf(picked));
  }
  const absent = missing.map((name) => `${name} is not there.`);
  return {
    exitCode: missing.length > 0 ? EXIT.unavailable : EXIT.fine,
    json: { dry_run: true, letters: lines, missing },
    text: [...showColumns(lines.map(showLine)), ...absent, `Would redrive ${count(lines.length, "dead letter")}.`].join(
      "\n",
    ),
  };
}

async function redriveAll(place: LetterPlace, selection: Selection): Promise<Fate[]> {
  const fates: Fate[] = [];
  const bells = createBells(place);
  try {
    for await (const picked of pickLetters(place, selection)) {
      const fate = isLetter(picked) ? await redriveOne(place, picked, bells) : ({ status: "gone" } as const);
      fates.push({ letter: nameOf(picked), ...fate });
    }
  } finally {
    // What was handed in before an error, too; and what is not rung for here, the reconciler rings for.
    await bells.stop();
  }
  return fates;
}

async function redriveOne({ redis, keys }: LetterPlace, letter: DeadLetter, bells: Bells): Promise<Redriven> {
  const redriven = await redriveLetter(redis, keys, letter);
  if (redriven.status === "resubmitted") await bells.add(redriven.lane, redriven.id);
  return redriven;
}

/** Rings for submissions, many at once. */
interface Bells {
  add(lane: Lane, id: string): Promise<void>;
  /** Rings for the rest. */
  stop(): Promise<void>;
}

function createBells({ redis, keys, prefix }: LetterPlace): Bells {
  const waiting = new Map<Lane, string[]>();
  let producer: Producer | undefined;

  async function ring(lane: Lane): Promise<void> {
    const ids = waiting.get(lane) ?? [];
    waiting.delete(lane);
    producer ??= await createProducer({ redis, prefix, tenant: keys.tenant });
    await producer.ring(lane, ids);
  }

  return {
    async add(lane, id) {
      const ids = [...(waiting.get(lane) ?? []), id];
      waiting.set(lane, ids);
      if (ids.length >= RUNG_AT_ONCE) await ring(lane);
    },
    async stop() {
      try {
        for (const lane of waiting.keys()) await ring(lane);
      } finally {
        await producer?.stop();
      }
    },
  };
}

// Of letters that were named, one that is not there is a mistake; of others somebody else was faster.
function reportOf(fates: readonly Fate[], areNamed: boolean): Report {
  const done = fates.filter(({ status }) => status === "resubmitted" || status === "returned").length;
  const failed = fates.filter(({ status }) => status === "refused" || (areNamed && status === "gone")).length;
  return {
    exitCode: failed > 0 ? EXIT.unavailable : EXIT.fine,
    json: { redriven: done, letters: fates },
    text: [
      ...showColumns(fates.map((fate) => [fate.letter, showFate(fate)])),
      `Redrove ${count(done, "dead letter")}${failed > 0 ? `, and ${failed} could not be` : ""}.`,
    ].join("\n"),
  };
}

function showFate(fate: Fate): string {
  switch (fate.status) {
    case "resubmitted":
      return `→ ${fate.id}`;
    case "returned":
      return fate.to === "archive" ? "→ the archive" : `→ ${fate.to} ${fate.name}`;
    case "gone":
      return "is not there";
    case "refused":
      return `stays: ${WHY[fate.why]}`;
  }
}
