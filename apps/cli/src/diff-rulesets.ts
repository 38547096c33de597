import { DisorderedRowsError } from "@assay/rules/backtest";
import type { BacktestRows } from "./backtest/backtest-rows.ts";
import { BadLines } from "./backtest/bad-lines.ts";
import { diffJson } from "./backtest/diff-json.ts";
import { diffMarkdown } from "./backtest/diff-markdown.ts";
import { holds, metricsOf, readFailIf } from "./backtest/fail-if.ts";
import { openRows } from "./backtest/file-rows.ts";
import { findingsOf } from "./backtest/findings.ts";
import { createProgress } from "./backtest/progress.ts";
import { rowsInOrder } from "./backtest/rows-in-order.ts";
import { type Backtested, type BacktestOptions, runBacktest } from "./backtest/run-backtest.ts";
import { showDiff } from "./backtest/show-diff.ts";
import { readSide } from "./backtest/side.ts";
import { CommandError, EXIT, type Report, type World } from "./report.ts";

export interface DiffOptions {
  /** A file of rows, `-` for stdin. */
  readonly from?: string;
  readonly since?: string;
  readonly ruleset?: string;
  readonly markdown?: boolean;
  readonly failIf?: string;
  readonly maxBad: string;
  readonly examples: string;
  readonly threads?: string;
}

const EXAMPLES_OF_A_FLIP = 3;
/** Beyond this, one thread can no longer hand out rows as fast as the others judge them. */
const MAX_THREADS = 8;

/** `assay rules diff`: judges rows of the past by two sets of rulesets, and tells what is answered otherwise. */
export async function diffRulesets(
  oldPath: string,
  newPath: string,
  options: DiffOptions,
  world: World,
): Promise<Report> {
  const { now } = world;
  if (options.since !== undefined) {
    throw new CommandError(
      EXIT.usage,
      "--since asks for an archive, which is not in this version. Give a file by --from.",
    );
  }
  if (options.from === undefined) throw new CommandError(EXIT.usage, "Give rows by --from: a file, or - for stdin.");
  const failIf = options.failIf === undefined ? undefined : readFailIf(options.failIf);
  const bad = new BadLines(options.from === "-" ? "stdin" : options.from, wholeNumber("--max-bad", options.maxBad));
  const chosen = { now, ...(options.ruleset === undefined ? {} : { ruleset: options.ruleset }) };
  const [oldFiles, newFiles] = [await readSide(oldPath, chosen), await readSide(newPath, chosen)];
  const { tally, sides } = await judgeAll(await openRows(options.from, world), world, {
    old: oldFiles,
    new: newFiles,
    examples: EXAMPLES_OF_A_FLIP,
    isPersonal: isPersonal(options.examples),
    bad,
    ...threadsOf(options, world),
  });
  const found = findingsOf(tally, bad, {
    old: { path: oldPath, rulesets: sides.old },
    new: { path: newPath, rulesets: sides.new },
  });
  if (found.summary.rows === 0) throw new CommandError(EXIT.usage, `${options.from} holds no row${badText(bad)}.`);
  const condition =
    failIf === undefined || options.failIf === undefined
      ? undefined
      : { condition: options.failIf.trim(), holds: holds(failIf, metricsOf(found.summary, bad.count)) };
  const findings = { ...found, ...(condition === undefined ? {} : { failIf: condition }) };
  return {
    exitCode: condition?.holds === true ? EXIT.faulty : EXIT.fine,
    json: diffJson(findings),
    text: options.markdown === true ? diffMarkdown(findings) : showDiff(findings, world.paint),
  };
}

/** Judges the rows as they come; where counters need another order and it can be had, in that. */
async function judgeAll(
  rows: BacktestRows,
  world: World,
  options: Omit<BacktestOptions, "onProgress">,
): Promise<Backtested> {
  const run = async (some: BacktestRows) => {
    const show = world.showProgress;
    const progress =
      show && createProgress((line) => show(line), { startedAtMs: performance.now(), clock: () => performance.now() });
    try {
      return await runBacktest(some, { ...options, onProgress: (count) => progress?.(count, some.readShare()) });
    } finally {
      show?.("");
    }
  };
  try {
    return await run(rows);
  } catch (error) {
    if (!(error instanceof DisorderedRowsError)) throw error;
    const { file } = rows;
    if (file === undefined) {
      const message = `${rows.name} is not in the order of received_at, which counters need. Sort it, or give a plain file.`;
      throw new CommandError(EXIT.usage, message, { cause: error });
    }
    options.bad.clear();
    return await run(await rowsInOrder(rows, file, options.bad));
  }
}

function threadsOf({ threads: given }: DiffOptions, { threads }: World): Pick<BacktestOptions, "threads"> {
  const count = given === undefined ? threads?.count : wholeNumber("--threads", given);
  return threads === undefined || count === undefined
    ? {}
    : { threads: { ...threads, count: Math.min(count, MAX_THREADS) } };
}

function badText({ first: [bad] }: BadLines): string {
  return bad === undefined ? "" : `; line ${bad.line}: ${bad.why.replace(/\.$/, "")}`;
}

function isPersonal(examples: string): boolean {
  if (examples === "full" || examples === "ids") return examples === "full";
  throw new CommandError(EXIT.usage, `--examples is ids or full, which shows personal data; not ${examples}.`);
}

function wholeNumber(option: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new CommandError(EXIT.usage, `${option} ${text} is no whole number.`);
}
