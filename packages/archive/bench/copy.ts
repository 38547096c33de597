/**
 * The writer beside raw COPY, in one run: the same kind of verdicts, with their events, into the same tables with the
 * same indexes. COPY gets its text ready-made and looks for no key: it is the most that this Postgres takes. The ratio
 * counts, not the rates.
 * Usage: npx tsx --conditions=@assay/source packages/archive/bench/copy.ts <connection string of an empty database>
 */
import { randomBytes, randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { deflateRawSync } from "node:zlib";
import { from as copyFrom } from "pg-copy-streams";
import { createArchivePool, createArchiveWriter, maintainArchive, type VerdictRow } from "../src/index.ts";
import { migrateArchive } from "../src/migrate.ts";
import { type VerdictColumns, verdictColumns } from "../src/verdict-columns.ts";

const ROUNDS = 5;
const BATCHES = 20;
const BATCH = 500;

const [connectionString] = process.argv.slice(2);
if (connectionString === undefined) throw new Error("Name an empty database: copy.ts postgres://…");
const now = Date.now();
let sequence = 0;

await migrateArchive({ connectionString });
const pool = createArchivePool({ connectionString, timeoutMs: 60_000 });
await maintainArchive(pool, now);
const writer = createArchiveWriter({ pool });
const [copyRates, writerRates]: [number[], number[]] = [[], []];
for (let round = 0; round < ROUNDS; round++) {
  // In turns, so that a noisy machine and a growing table trouble both alike.
  copyRates.push(await measure(newBatches().map((rows) => () => copy(linesOf(rows)))));
  writerRates.push(await measure(newBatches().map((rows) => () => writer.write(rows))));
}
const sample = aRow();
console.log(`verdicts of ${sample.verdict.length} bytes, events of ${sample.event?.length} bytes deflated`);
console.log(`batches of ${BATCH}, best of ${ROUNDS} rounds of ${BATCHES}`);
console.log(`COPY    ${Math.round(Math.max(...copyRates))} verdicts/s`);
console.log(`writer  ${Math.round(Math.max(...writerRates))} verdicts/s`);
console.log(`ratio   ${(Math.max(...writerRates) / Math.max(...copyRates)).toFixed(2)}`);
await pool.stop();

/** Verdicts a second, one batch after the other. */
async function measure(writes: readonly (() => Promise<unknown>)[]): Promise<number> {
  const startedAt = performance.now();
  for (const write of writes) await write();
  return (writes.length * BATCH * 1000) / (performance.now() - startedAt);
}

/** Both tables in one transaction, as the writer does it. */
async function copy({ verdicts, events }: { verdicts: string; events: string }): Promise<void> {
  await pool.transaction(async (client) => {
    await pipeline(Readable.from([events]), client.query(copyFrom("COPY assay.events FROM STDIN")));
    await pipeline(Readable.from([verdicts]), client.query(copyFrom("COPY assay.verdicts FROM STDIN")));
  });
}

/** A batch as COPY takes it, made before the clock starts. */
function linesOf(rows: readonly VerdictRow[]): { verdicts: string; events: string } {
  const ready = rows.map((row) => ({ row, of: verdictColumns(row.verdict) }));
  return {
    verdicts: ready.map(({ row, of }) => line(verdictCells(row, of))).join(""),
    events: ready.map(({ row, of }) => line(eventCells(row, of))).join(""),
  };
}

type Cell = string | number | boolean | undefined;

// In the order of the table.
function verdictCells({ tenant, pinned, verdict, streamId = "" }: VerdictRow, of: VerdictColumns): Cell[] {
  const head = [tenant, iso(of.receivedAt), of.id, iso(of.decidedAt), of.kind, of.action, of.score, of.flow];
  const ids = [of.userId, of.reference, of.visitorId, of.linkedId, of.eventId];
  const ruleset = [of.ruleset, of.rulesetDigest, of.engine, `{${of.rules.join(",")}}`];
  return [...head, ...ids, ...ruleset, of.undecided, of.late, pinned, verdict, ...streamId.split("-")];
}

function eventCells({ tenant, submission, event = new Uint8Array() }: VerdictRow, of: VerdictColumns): Cell[] {
  return [tenant, iso(of.receivedAt), of.id, of.eventId, submission, `\\x${Buffer.from(event).toString("hex")}`];
}

function line(cells: readonly Cell[]): string {
  return `${cells.map((cell) => (cell === undefined ? "\\N" : String(cell).replaceAll("\\", "\\\\"))).join("\t")}\n`;
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function newBatches(): VerdictRow[][] {
  return Array.from({ length: BATCHES }, () => Array.from({ length: BATCH }, aRow));
}

/** A verdict that blocks, on an event of 4.8 KB of which half is never seen twice. */
function aRow(): VerdictRow {
  const context = { flow: "login", user_id: randomUUID(), reference: randomUUID() };
  const [eventId, visitorId] = [`${now}.${randomUUID().slice(0, 6)}`, randomUUID().slice(0, 20)];
  const reason = {
    rule: "hidden_network",
    score: 40,
    message: "It hides its network",
    evidence: { vpn: true, proxy: true },
  };
  const verdict = {
    schema: "assay.verdict/1",
    id: `s_${randomUUID().replaceAll("-", "").slice(0, 26)}`,
    kind: "sealed",
    action: Math.random() < 0.1 ? "block" : "allow",
    score: 40,
    reasons: [reason, { ...reason, rule: "young_account" }],
    shadow: [],
    unknown: [{ rule: "abroad", missing: ["facts.country"] }],
    checks: { event_age_seconds: 4.211, stale: false, ip_mismatch: false, partial: false, reused: false, use_count: 1 },
    coverage: { rules: 20, judged: 19 },
    ruleset: { name: "default", digest: "d27ccb5e61eaf301", engine: "assay-rules/1" },
    received_at: now - Math.floor(Math.random() * 3_600_000),
    decided_at: now,
    event_id: eventId,
    visitor_id: visitorId,
    platform: "js",
    event_source: "sealed",
    event_time: now,
    context,
  };
  const event = { event_id: eventId, noise: randomBytes(1200).toString("hex"), fonts: "Arial,Helvetica,".repeat(150) };
  return {
    type: "verdict",
    tenant: "0",
    streamId: `${now}-${sequence++}`,
    verdict: JSON.stringify(verdict),
    pinned: "0|0|1|3|12w|d27ccb5e61eaf301||sealed|",
    submission: JSON.stringify({ kind: "sealed", context: { ...context, ip: "203.0.113.7", facts: { age_days: 3 } } }),
    event: deflateRawSync(JSON.stringify(event), { level: 1 }),
  };
}
