import { CounterReplay, emptyTally, mergeTally, type Tally } from "@assay/rules/backtest";
import { BadLines } from "./bad-lines.ts";
import type { BacktestRows } from "./backtest-rows.ts";
import { type BatchJudge, createBatchJudge, type JudgeOptions, type PreparedBatch, type Sides } from "./batch-judge.ts";
import { type JudgeThread, startJudgeThread } from "./judge-thread.ts";

export interface BacktestOptions extends Omit<JudgeOptions, "form"> {
  /** Threads that judge beside this one, and the file that each runs. */
  readonly threads?: { readonly file: URL; readonly count: number };
  readonly bad: BadLines;
  /** Told after every batch. */
  onProgress(rows: number): void;
}

/** What came of all rows. */
export interface Backtested {
  readonly tally: Tally;
  readonly sides: Sides;
}

/** Batches in flight for each judge, so that none waits for the counters of another that is slower. */
const IN_FLIGHT = 4;
/** Batches that a thread has before this one judges any itself, so that no thread waits for work meanwhile. */
const AT_HAND = 3;

type Judge = BatchJudge | JudgeThread;

interface InFlight {
  readonly judge: Judge;
  readonly prepared: PreparedBatch | Promise<PreparedBatch>;
}

/**
 * Judges all rows by both sides. Threads parse and judge, and so does this one while they have enough to do; it alone
 * splits lines and replays the counters, as these need the rows in their order and one memory. Throws what `loadSide`
 * throws, a CommandError for too many bad lines, and a DisorderedRowsError where counters are asked out of order.
 */
export async function runBacktest(rows: BacktestRows, options: BacktestOptions): Promise<Backtested> {
  const { old: oldFiles, new: newFiles, examples, isPersonal, bad } = options;
  const judging: JudgeOptions = { old: oldFiles, new: newFiles, form: rows.form, examples, isPersonal };
  const { file, count } = options.threads ?? { count: 0 };
  const threads = file === undefined ? [] : Array.from({ length: count }, () => startJudgeThread(file, judging));
  const replay = new CounterReplay();
  const inFlight: InFlight[] = [];
  let [lines, judged] = [0, 0];

  async function settle({ judge, prepared }: InFlight): Promise<void> {
    const batch = await prepared;
    for (const { line, why } of batch.bad) bad.add({ line: lines + line, why });
    lines += batch.lines;
    judge.judge(replay.replay(batch.asks), judged);
    judged += batch.rows;
    options.onProgress(judged);
  }

  try {
    // Loads the rulesets while the threads do.
    const own = createBatchJudge(judging);
    const mostInFlight = IN_FLIGHT * (1 + threads.length);
    for await (const batch of rows.batches()) {
      const judge = leastBusy(threads) ?? own;
      inFlight.push({ judge, prepared: heard(judge.prepare(batch)) });
      const first = inFlight.length >= mostInFlight ? inFlight.shift() : undefined;
      if (first !== undefined) await settle(first);
    }
    for (const one of inFlight) await settle(one);
    const tally = emptyTally();
    for (const judge of [own, ...threads]) mergeTally(tally, await judge.finish(), options);
    return { tally, sides: own.sides };
  } finally {
    await Promise.all(threads.map((thread) => thread.stop()));
  }
}

/** The thread with the least to do; undefined where all have enough. */
function leastBusy(threads: readonly JudgeThread[]): JudgeThread | undefined {
  const [least] = threads.toSorted((a, b) => a.unprepared - b.unprepared);
  return least !== undefined && least.unprepared < AT_HAND ? least : undefined;
}

/** The same; what fails is heard when it is settled, which may be later. */
function heard<Given>(given: Given | Promise<Given>): Given | Promise<Given> {
  if (given instanceof Promise) given.catch(() => undefined);
  return given;
}
