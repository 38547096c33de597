/**
 * `assay rules diff --since` beside what merely reads and parses the same rows from the same Postgres, in turns, and
 * beside `--from` with these rows. Prints what `diff.ts` prints; the time of processors is that of the Node process, and
 * Postgres takes some more. Usage: npm run bench:since -- [rows]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { type ArchiveRow, createArchivePool, createArchiveWriter } from "@assay/archive";
import { migrateArchive } from "@assay/archive/migrate";
import { assayBundle } from "../support/assay-command.ts";
import { ask, createDatabase, startPostgres } from "../support/postgres-server.ts";
import { ROOT } from "../support/snippets.ts";
import { changedRulesets } from "./diff/changed-rulesets.ts";
import { rowAt, START_MS, writeRows } from "./diff/rows.ts";
import { show, turn } from "./diff/turn.ts";

const ROUNDS = 3;
const BATCH = 500;
const rows = Number(process.argv[2] ?? 100_000);
const folder = mkdtempSync(join(tmpdir(), "assay-since-"));
const server = await startPostgres();

try {
  const [bundle, url] = [await assayBundle(), await createDatabase(server)];
  await migrateArchive({ connectionString: url });
  await fill(url);
  const file = join(folder, "rows.ndjson");
  await writeRows(file, rows);
  console.log(`${rows} rows, ${availableParallelism()} processors`);
  const [env, changed] = [{ DATABASE_URL: url }, changedRulesets(folder)];
  const judge = ["rules", "diff", "rulesets", changed, "--ruleset", "account_takeover"];
  const ratios: number[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const read = await turn(rows, [join(ROOT, "test/bench/diff/read-archive.mjs")], env);
    const judged = await turn(rows, [bundle, ...judge, "--since", new Date(START_MS).toISOString()], env);
    const fromFile = await turn(rows, [bundle, ...judge, "--from", file]);
    ratios.push(judged.perSecond / read.perSecond);
    console.log(`round ${round}, load ${loadavg()[0]?.toFixed(1)}\n  ${show("read and parse from Postgres", read)}`);
    console.log(`  ${show("rules diff --since, eight counters", judged)}, ratio ${ratios.at(-1)?.toFixed(2)}`);
    console.log(`  ${show("rules diff --from, eight counters", fromFile)}`);
  }
  const middle = ratios.toSorted((a, b) => a - b)[ratios.length >> 1];
  console.log(`rules diff --since ÷ read and parse from Postgres: ${middle?.toFixed(2)}`);
} finally {
  await server.stop();
  rmSync(folder, { recursive: true });
}

/** Puts the rows of the bench into the archive, with their labels. */
async function fill(url: string): Promise<void> {
  const writer = createArchiveWriter({ pool: createArchivePool({ connectionString: url, timeoutMs: 60_000 }) });
  for (let from = 0; from < rows; from += BATCH) {
    const some = Array.from({ length: Math.min(BATCH, rows - from) }, (_, index) => archived(from + index));
    await writer.write(some.flat());
  }
  await writer.stop();
  await ask(url, "VACUUM ANALYZE");
}

function archived(index: number): ArchiveRow[] {
  const { event, context, checks, received_at, outcomes } = rowAt(index);
  const id = `s_${String(index).padStart(26, "0")}`;
  const verdict = {
    schema: "assay.verdict/1",
    id,
    kind: "sealed",
    action: "allow",
    score: 0,
    reasons: [],
    shadow: [],
    unknown: [],
    checks,
    coverage: { rules: 20, judged: 20 },
    ruleset: { name: "default", digest: "d27ccb5e61eaf301", engine: "assay-rules/1" },
    received_at,
    decided_at: received_at + 20,
    event_id: event.event_id,
    context: { flow: context.flow, user_id: context.user_id },
  };
  return [
    {
      type: "verdict",
      tenant: "0",
      verdict: JSON.stringify(verdict),
      pinned: "0|0|1|3|12w|d27ccb5e61eaf301||sealed|",
      submission: JSON.stringify({ kind: "sealed", context }),
      event: deflateRawSync(JSON.stringify(event), { level: 3 }),
    },
    ...outcomes.map(({ outcome, occurred_at: occurredAt }, n): ArchiveRow => {
      const told = { id: `${id}.${n}`, submissionId: id, outcome, occurredAt, toldAt: occurredAt };
      return { type: "label", tenant: "0", ...told };
    }),
  ];
}
