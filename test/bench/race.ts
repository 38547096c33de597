import { openAssay } from "./assay.ts";
import type { Contender } from "./contender.ts";
import type { Ground } from "./ground.ts";
import { measureDrain, measureEndToEnd } from "./measure.ts";
import { openPeer } from "./peer.ts";
import type { Line } from "./table.ts";
import type { Work } from "./workload.ts";

/** What runs against what, how often, and on how much. */
export interface RaceOptions {
  readonly idsPerJob: readonly number[];
  readonly peerConcurrency: readonly number[];
  readonly rounds: number;
  /** Each measurement takes about so long, whoever is measured and however slow the machine is. */
  readonly secondsEach: number;
  /** Fresh work, the same for all contenders of a round. */
  makeWork(count: number): Work[];
  /** Whether there is time for one more round. The first always takes place. */
  hasTime(): boolean;
}

interface Runner {
  readonly contender: Contender;
  readonly line: Line;
  /** Submissions of one measurement. */
  readonly count: number;
}

const WARM_UP_SUBMISSIONS = 2000;
const FEWEST_SUBMISSIONS = 500;
const MOST_SUBMISSIONS = 8000;

/** Measures all contenders in turns, every second round in reverse, so that a noisy machine troubles all alike. */
export async function race(ground: Ground, options: RaceOptions): Promise<Line[]> {
  const peers: Contender[] = [];
  for (const concurrency of options.peerConcurrency) peers.push(await openPeer(ground, concurrency));
  const contenders = [...peers, ...(await openAssay(ground, options.idsPerJob))];
  const runners: Runner[] = [];
  for (const contender of contenders) runners.push(await warmUp(contender, peers.includes(contender), options));
  for (let round = 0; round < options.rounds && (round === 0 || options.hasTime()); round++) {
    const work = options.makeWork(Math.max(...runners.map(({ count }) => count)));
    for (const { contender, line, count } of round % 2 === 0 ? runners : runners.toReversed()) {
      line.drains.push(await measureDrain(contender, work.slice(0, count)));
      line.endToEnds.push(await measureEndToEnd(contender, work.slice(0, count)));
    }
    await ground.compact();
  }
  return runners.map(({ line }) => line);
}

async function warmUp(contender: Contender, isPeer: boolean, options: RaceOptions): Promise<Runner> {
  await measureDrain(contender, options.makeWork(WARM_UP_SUBMISSIONS));
  const { perSecond } = await measureEndToEnd(contender, options.makeWork(WARM_UP_SUBMISSIONS));
  const count = Math.round(Math.min(MOST_SUBMISSIONS, Math.max(FEWEST_SUBMISSIONS, perSecond * options.secondsEach)));
  return { contender, line: { name: contender.name, isPeer, drains: [], endToEnds: [] }, count };
}
