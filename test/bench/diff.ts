/**
 * `assay rules diff` beside what merely reads and parses the same rows, on one thread and by hand, in turns. Prints rows
 * per second of whole processes, start and loading of rulesets included, their ratio, the time of processors that a row
 * takes, and the most memory. Usage: npm run bench:diff -- [rows]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { assayBundle } from "../support/assay-command.ts";
import { ROOT } from "../support/snippets.ts";
import { changedRulesets } from "./diff/changed-rulesets.ts";
import { writeRows } from "./diff/rows.ts";
import { show, turn } from "./diff/turn.ts";

const ROUNDS = 3;
const rows = Number(process.argv[2] ?? 200_000);
const folder = mkdtempSync(join(tmpdir(), "assay-diff-"));
try {
  const bundle = await assayBundle();
  const [few, all] = [join(folder, "few.ndjson"), join(folder, "all.ndjson")];
  await writeRows(few, Math.ceil(rows / 10));
  const bytes = await writeRows(all, rows);
  console.log(`${rows} rows of ${Math.round(bytes / rows)} bytes, ${availableParallelism()} processors`);
  const changed = changedRulesets(folder);
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
