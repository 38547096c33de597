/**
 * `assay rules diff` beside what merely reads and parses the same rows, on one thread and by hand, in turns. Prints rows
 * per second of whole processes, start and loading of rulesets included, their ratio, the time of processors that a row
 * takes, and the most memory. Usage: npm run bench:diff -- [rows]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { assayBundle } from "../support/assay-command.ts";
import { ROOT } from "../support/snippets.ts";
import { writeRows } from "./diff/rows.ts";

const ROUNDS = 3;
const rows = Number(process.argv[2] ?? 200_000);
const folder = mkdtempSync(join(tmpdir(), "assay-diff-"));
/** Told by every process as it ends: the most memory that it took, in KiB, and its time of processors, in µs. */
const TOLD = `data:text/javascript,import { isMainThread } from "node:worker_threads";
if (isMainThread) process.on("exit", () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  console.error("told", maxRSS, userCPUTime + systemCPUTime);
});`;

interface Turn {
  readonly perSecond: number;
  readonly cpuMicros: number;
  readonly mebibytes: number;
}

try {
  const bundle = await assayBundle();
  const [few, all] = [join(folder, "few.ndjson"), join(folder, "all.ndjson")];
  await writeRows(few, Math.ceil(rows / 10));
  const bytes = await writeRows(all, rows);
  console.log(`${rows} rows of ${Math.round(bytes / rows)} bytes, ${availableParallelism()} processors`);
  const changed = changedRulesets();
  const parse = () => turn(rows, [join(ROOT, "test/bench/diff/parse.mjs"), all]);
  const diff = (from: string, count: number, ...more: string[]) =>
    turn(count, [bundle, "rules", "diff", "rulesets", changed, "--from", from, ...more]);
  const contenders = [
    { name: "rules diff, folders: the default ruleset judges", more: [] },
    { name: "rules diff, account_takeover: eight counters", more: ["--ruleset", "account_takeover"] },
  ].map((contender) => ({ ...contender, ratios: new Array<number>() }));
  for (let round = 1; round <= ROUNDS; round++) {
    const read = await parse();
    console.log(`round ${round}, load ${loadavg()[0]?.toFixed(1)}\n  ${show("read and parse", read)}`);
    for (const { name, more, ratios } of contenders) {
      const judged = await diff(all, rows, ...more);
      ratios.push(judged.perSecond / read.perSecond);
      console.log(`  ${show(name, judged)}, ratio ${ratios.at(-1)?.toFixed(2)}`);
    }
  }
  for (const { name, more } of contenders) {
    console.log(show(`a tenth of the rows, ${name}`, await diff(few, Math.ceil(rows / 10), ...more)));
  }
  for (const { name, ratios } of contenders) {
    const middle = ratios.toSorted((a, b) => a - b)[ratios.length >> 1];
    console.log(`${name} ÷ read and parse: ${middle?.toFixed(2)} (to reach: 0.6 or more)`);
  }
} finally {
  rmSync(folder, { recursive: true });
}

/** The shipped rulesets, in which both that are measured ask for a little less. */
function changedRulesets(): string {
  const changed = join(folder, "rulesets");
  cpSync(join(ROOT, "rulesets"), changed, { recursive: true });
  const shared = join(changed, "_shared.yaml");
  const rule = "    when: suspect_score >";
  const text = readFileSync(shared, "utf8");
  if (!text.includes(rule)) throw new Error(`No rule of ${shared} asks for suspect_score.`);
  writeFileSync(shared, text.replace(rule, "    when: suspect_score + 1 >"));
  return changed;
}

async function turn(count: number, args: readonly string[]): Promise<Turn> {
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, ["--import", TOLD, ...args], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const [code] = await once(child, "close");
  const seconds = (performance.now() - startedAtMs) / 1000;
  const [, kibibytes, micros] = /told (\d+) (\d+)/.exec(errors) ?? [];
  if (code !== 0) throw new Error(`${args.join(" ")} failed: ${errors}`);
  return { perSecond: count / seconds, cpuMicros: Number(micros) / count, mebibytes: Number(kibibytes) / 1024 };
}

function show(name: string, { perSecond, cpuMicros, mebibytes }: Turn): string {
  return `${name}: ${Math.round(perSecond)} rows/s, ${cpuMicros.toFixed(0)} µs CPU a row, ${mebibytes.toFixed(0)} MiB`;
}
