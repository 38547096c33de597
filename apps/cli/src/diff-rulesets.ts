import { DEFAULT_TENANT, isTenantName, TENANT_NAME_RULE } from "@assay/protocol";
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
import { readDatabaseUrl } from "./database-url.ts";
import { readPastTime } from "./past-time.ts";
import { CommandError, EXIT, type Report, type World } from "./report.ts";

export interface DiffOptions {
  /** A file of rows, `-` for stdin. */
  readonly from?: string;
  /** Rows of the archive: from when, until when, and whose. */
  readonly since?: string;
  readonly until?: string;
  readonly tenant?: string;
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
  const rows = await rowsOf(options, world);
  const failIf = options.failIf === undefined ? undefined : readFailIf(options.failIf);
  const bad = new BadLines(rows.name, wholeNumber("--max-bad", options.maxBad));
  const chosen = { now, ...(options.ruleset === undefined ? {} : { ruleset: options.ruleset }) };
  const [oldFiles, newFiles] = [await readSide(oldPath, chosen), await readSide(newPath, chosen)];
  const { tally, sides } = await judgeAll(rows, world, {
    old: oldFiles,
    new: newFiles,
    examples: EXAMPLES_OF_A_FLIP,
    isPersonal: isPersonal(options.examples),
    bad,
    ...threadsOf(options, world),
  });
  const found = findingsOf(
    tally,
    { bad, leftOut: rows.leftOut },
    {
      old: { path: oldPath, rulesets: sides.old },
      new: { path: newPath, rulesets: sides.new },
    },
  );
  if (found.summary.rows === 0) throw new CommandError(EXIT.usage, `${rows.name} holds no row${whyText(rows, bad)}.`);
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

async function rowsOf({ from, since, until, tenant }: DiffOptions, world: World): Promise<BacktestRows> {
  if (since === undefined) {
    const alone = until === undefined ? (tenant === undefined ? undefined : "--tenant") : "--until";
    if (alone !== undefined) throw new CommandError(EXIT.usage, `${alone} is about the archive: give --since, too.`);
    if (from !== undefined) return await openRows(from, world);
    throw new CommandError(EXIT.usage, "Give rows by --from: a file, or - for stdin. Or by --since, from the archive.");
  }
  const { now, env } = world;
  const range = {
    tenant: tenant ?? DEFAULT_TENANT,
    since: readPastTime("--since", since, now),
    until: until === undefined ? now : readPastTime("--until", until, now),
  };
  if (range.since >= range.until)
    throw new CommandError(EXIT.usage, "--since must be before --until, which is now by default.");
  if (!isTenantName(range.tenant)) throw new CommandError(EXIT.usage, `--tenant is ${TENANT_NAME_RULE}.`);
  const connectionString = readDatabaseUrl(env);
  // Loaded here, because files need no client of Postgres's.
  const { archiveRows } = await import("./backtest/archive-rows.ts");
  return archiveRows(connectionString, range);
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

function whyText({ leftOut: { undecided, expired } }: BacktestRows, { first: [bad] }: BadLines): string {
  if (bad !== undefined) return `; line ${bad.line}: ${bad.why.replace(/\.$/, "")}`;
  return undecided + expired === 0 ? "" : `; undecided: ${undecided}, events no longer kept: ${expired}`;
}

function isPersonal(examples: string): boolean {
  if (examples === "full" || examples === "ids") return examples === "full";
  throw new CommandError(EXIT.usage, `--examples is ids or full, which shows personal data; not ${examples}.`);
}

function wholeNumber(option: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new CommandError(EXIT.usage, `${option} ${text} is no whole number.`);
}
