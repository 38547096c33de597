import { type Answers, CounterReplay, emptyTally, mergeTally, type Tally } from "@assay/rules/backtest";
import { BadLines } from "./bad-lines.ts";
import type { BacktestRows } from "./backtest-rows.ts";
import { type BatchJudge, createBatchJudge, type JudgeOptions, type PreparedBatch, type Sides } from "./batch-judge.ts";
import { unpackAsks } from "./packed-asks.ts";
import { type JudgeThread, startJudgeThread } from "./judge-thread.ts";

export interface BacktestOptions extends Omit<JudgeOptions, "form"> {
  /** Threads to judge on, and the file that each runs; all is done on this thread without. */
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

/** Batches in flight for each thread, so that none waits for the counters of another that is slower. */
const IN_FLIGHT = 4;

type Judge = BatchJudge | JudgeThread;

interface InFlight {
  readonly judge: Judge;
  readonly prepared: Promise<PreparedBatch>;
}

/**
 * Judges all rows by both sides. Threads read, parse and judge; this one only splits lines and replays the counters, as
 * these need the rows in their order and one memory. Throws a CommandError for too many bad lines, and a
 * DisorderedRowsError where counters are asked out of order.
 */
export async function runBacktest(rows: BacktestRows, options: BacktestOptions): Promise<Backtested> {
  const { old: oldFiles, new: newFiles, examples, isPersonal, bad } = options;
  const judging: JudgeOptions = { old: oldFiles, new: newFiles, form: rows.form, examples, isPersonal };
  const threads = Array.from({ length: options.threads?.count ?? 0 }, () =>
    options.threads === undefined ? [] : startJudgeThread(options.threads.file, judging),
  ).flat();
  const judges: readonly Judge[] = threads.length > 0 ? threads : [createBatchJudge(judging)];
  const replay = new CounterReplay();
  let [lines, judged] = [0, 0];

  async function settle({ judge, prepared }: InFlight): Promise<void> {
    const batch = await prepared;
    for (const { line, why } of batch.bad) bad.add({ line: lines + line, why });
    lines += batch.lines;
    const answers: Answers = replay.replay(unpackAsks(batch.asks));
    judge.judge(answers, judged);
    judged += batch.rows;
    options.onProgress(judged);
  }

  const inFlight: InFlight[] = [];
  const unprepared = new Map(judges.map((judge) => [judge, 0]));
  const busy = (judge: Judge, more: number) => void unprepared.set(judge, (unprepared.get(judge) ?? 0) + more);
  try {
    for await (const batch of rows.batches()) {
      const [[judge] = []] = [...unprepared].toSorted(([, a], [, b]) => a - b);
      if (judge === undefined) throw new RangeError("A backtest needs a judge.");
      busy(judge, 1);
      const prepared = Promise.resolve(judge.prepare(batch)).finally(() => busy(judge, -1));
      // Whoever fails is heard when it is settled, which may be later.
      prepared.catch(() => undefined);
      inFlight.push({ judge, prepared });
      const first = inFlight.length >= IN_FLIGHT * judges.length ? inFlight.shift() : undefined;
      if (first !== undefined) await settle(first);
    }
    for (const one of inFlight) await settle(one);
    const [first] = judges;
    if (first === undefined) throw new RangeError("A backtest needs a judge.");
    const tally = emptyTally();
    for (const judge of judges) mergeTally(tally, await judge.finish(), options);
    return { tally, sides: await first.sides };
  } finally {
    await Promise.all(threads.map((thread) => thread.stop()));
  }
}
