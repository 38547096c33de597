import {
  ArchiveError,
  type ArchivedVerdict,
  type ArchiveReader,
  createArchivePool,
  createArchiveReader,
} from "@assay/archive";
import { createArchivedRulesets } from "./archived-rulesets.ts";
import { readDatabaseUrl } from "./database-url.ts";
import { count } from "./faults.ts";
import { readPastTime } from "./past-time.ts";
import { type Replay, replayVerdict } from "./replay-verdict.ts";
import { CommandError, EXIT, type Report, type World } from "./report.ts";
import { showReplay } from "./show-replay.ts";

export interface ReplayOptions {
  readonly since?: string;
  readonly until?: string;
  /** How many of them, chosen at random. */
  readonly sample?: string;
  readonly tenant: string;
}

/** As many are shown as can be looked at. */
const MAX_SHOWN = 100;

/**
 * `assay verdicts replay`: makes verdicts once more from what the archive holds of them, and says which of them are the
 * same. `id` is one; without it those since a time are.
 */
export async function replayVerdicts(id: string | undefined, options: ReplayOptions, world: World): Promise<Report> {
  const choose = chooserOf(id, options, world);
  const pool = createArchivePool({ connectionString: readDatabaseUrl(world.env) });
  const archive = createArchiveReader({ pool });
  const deps = { archive, rulesets: createArchivedRulesets(archive), tenant: options.tenant };
  const counts: Record<Replay["status"], number> = { identical: 0, differs: 0, other_engine: 0, gone: 0 };
  const shown: Replay[] = [];
  let replayed = 0;
  try {
    for await (const archived of choose(archive)) {
      const replay = await replayVerdict(archived, deps);
      counts[replay.status]++;
      replayed++;
      const isTold = id !== undefined || replay.status !== "identical";
      if (isTold && shown.length < MAX_SHOWN) shown.push(replay);
      world.showProgress?.(`replayed ${count(replayed, "verdict")}`);
    }
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    throw new CommandError(EXIT.unavailable, error.message, { cause: error });
  } finally {
    world.showProgress?.("");
    await archive.stop();
  }
  const isFaulty = counts.differs > 0;
  return {
    exitCode: isFaulty ? EXIT.faulty : counts.gone > 0 ? EXIT.unavailable : EXIT.fine,
    json: { replayed, ...counts, verdicts: shown },
    text: [
      ...shown.flatMap((replay) => showReplay(replay, world.paint)),
      ...(id === undefined ? [summary(counts)] : []),
    ].join("\n"),
  };
}

type Chooser = (archive: ArchiveReader) => AsyncIterable<ArchivedVerdict>;

function chooserOf(id: string | undefined, { since, until, sample, tenant }: ReplayOptions, world: World): Chooser {
  if (id !== undefined && (since ?? until ?? sample) !== undefined) {
    throw new CommandError(EXIT.usage, "Give one id, or --since, but not both.");
  }
  if (id !== undefined) return (archive) => one(archive, { tenant, id });
  if (since === undefined) throw new CommandError(EXIT.usage, "Say which: an id, or --since, as in --since 1d.");
  const range = {
    tenant,
    since: readPastTime("--since", since, world.now),
    until: until === undefined ? undefined : readPastTime("--until", until, world.now),
  };
  if (sample === undefined) return (archive) => all(archive, range);
  const size = /^\d{1,6}$/.test(sample) ? Number(sample) : 0;
  if (size === 0) throw new CommandError(EXIT.usage, `--sample ${sample} is no number from 1 to 999999.`);
  return (archive) => some(all(archive, range), size, world);
}

async function* one(archive: ArchiveReader, wanted: { tenant: string; id: string }): AsyncGenerator<ArchivedVerdict> {
  const verdict = await archive.verdict(wanted);
  if (verdict !== undefined) return yield verdict;
  throw new CommandError(EXIT.unavailable, `The archive does not hold a verdict ${wanted.id}, or no longer.`);
}

async function* all(
  archive: ArchiveReader,
  range: { tenant: string; since: number; until: number | undefined },
): AsyncGenerator<ArchivedVerdict> {
  let cursor: string | undefined;
  do {
    const page = await archive.verdicts({ ...range, cursor });
    yield* page.verdicts;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

// How many there are is only known at the end: each that comes takes the place of another by its chance.
async function* some(
  verdicts: AsyncIterable<ArchivedVerdict>,
  size: number,
  { randomBytes }: World,
): AsyncGenerator<ArchivedVerdict> {
  const chosen: ArchivedVerdict[] = [];
  let seen = 0;
  for await (const verdict of verdicts) {
    seen++;
    const place = Math.floor((Buffer.from(randomBytes(6)).readUIntBE(0, 6) / 2 ** 48) * seen);
    if (chosen.length < size) chosen.push(verdict);
    else if (place < size) chosen[place] = verdict;
  }
  yield* chosen;
}

function summary(counts: Readonly<Record<Replay["status"], number>>): string {
  const { identical, differs, other_engine: other, gone } = counts;
  const parts = [
    `${count(identical, "verdict")} identical`,
    ...(differs === 0 ? [] : [`${differs} not`]),
    ...(other === 0 ? [] : [`${other} by another engine`]),
    ...(gone === 0 ? [] : [`${gone} no longer replayable`]),
  ];
  return `${parts.join(", ")}.`;
}
