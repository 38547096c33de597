/**
 * Submissions per second from accept to the verdict in the stream: Assay beside a plain BullMQ worker, in one run.
 * "Full queue" is the worker alone: all work is laid up before it begins to fetch. "End to end" has producer and worker
 * at work together, with 512 submissions on their way at most. The peer is peer-worker.ts.
 * Usage, after a build: npx tsx --conditions=@assay/source test/bench/end-to-end.ts
 */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { parseSealedKeys, type SealedKey } from "@assay/fingerprint";
import { loadRuleset } from "@assay/rules";
import { type Ground, openGround } from "./ground.ts";
import { assayInProcess, expectSameActions, measureLimit, peerInProcess } from "./limits.ts";
import { race, type RaceOptions } from "./race.ts";
import { type Group, type Limit, type Line, rateOf, tableOf } from "./table.ts";
import { someWork, type Work } from "./workload.ts";

const IDS_PER_JOB = [1, 4, 16, 64];
const PEER_CONCURRENCY = [8, 50];
const ROUNDS = 5;
const SECONDS_EACH = 1.5;
const LIMIT_SUBMISSIONS = 3000;
// No round begins after this, so that the run stays below four minutes on a slow machine too.
const LAST_ROUND_AFTER_MS = { always: 100_000, everysec: 190_000 };

const keyText = randomBytes(32).toString("base64");
const key = keyOf(keyText);
const makeWork = (count: number) => someWork(count, key);
const grounds: Ground[] = [];

for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => void closeAll().then(() => process.exit(1)));
try {
  await main();
} finally {
  await closeAll();
}

async function main(): Promise<void> {
  if (!existsSync(new URL("../../apps/worker/dist/main.js", import.meta.url)))
    throw new Error("There is no built worker. Run: npm run build");
  const loadBefore = loadavg()[0] ?? 0;
  const limits = await measureLimits(makeWork(LIMIT_SUBMISSIONS));
  const always = await raceOn("always", { idsPerJob: IDS_PER_JOB, peerConcurrency: PEER_CONCURRENCY });
  const everysec = await raceOn("everysec", {
    idsPerJob: IDS_PER_JOB.slice(-1),
    peerConcurrency: [bestConcurrency(always.lines)],
  });
  console.log(`${placeOf(grounds[0]?.redisVersion ?? "", loadBefore)}\n`);
  console.log(tableOf([always, everysec], limits));
}

async function raceOn(
  appendfsync: "always" | "everysec",
  runners: Pick<RaceOptions, "idsPerJob" | "peerConcurrency">,
): Promise<Group> {
  const ground = await openGround(appendfsync, keyText);
  grounds.push(ground);
  const lines = await race(ground, {
    ...runners,
    rounds: ROUNDS,
    secondsEach: SECONDS_EACH,
    makeWork,
    hasTime: () => performance.now() < LAST_ROUND_AFTER_MS[appendfsync],
  });
  await ground.close();
  return { title: `appendfsync ${appendfsync}, ${lines[0]?.drains.length} rounds`, lines };
}

function bestConcurrency(lines: readonly Line[]): number {
  const rates = PEER_CONCURRENCY.map((_, index) => rateOf(lines[index]?.drains ?? []));
  return PEER_CONCURRENCY[rates.indexOf(Math.max(...rates))] ?? 8;
}

async function measureLimits(work: readonly Work[]): Promise<Limit[]> {
  const text = readFileSync(new URL("../../rulesets/default.yaml", import.meta.url), "utf8");
  const assay = assayInProcess(keyText, loadRuleset(text, { file: "default.yaml" }));
  const peer = peerInProcess(keyText);
  await expectSameActions(work.slice(0, 200), assay, peer);
  const limits = { "Assay: unseal, toEvent, decide": assay, "peer: SDK unseal, json-rules-engine": peer };
  const found: Limit[] = [];
  for (const [name, decide] of Object.entries(limits)) {
    await measureLimit(work, decide);
    found.push({ name, perSecond: await measureLimit(work, decide) });
  }
  return found;
}

/** What the numbers hang on. */
function placeOf(redisVersion: string, loadBefore: number): string {
  const manifest: { dependencies: Record<string, string> } = JSON.parse(
    readFileSync(new URL("../package.json", import.meta.url), "utf8"),
  );
  const version = (name: string) => `${name} ${manifest.dependencies[name]}`;
  const [sample] = makeWork(1);
  return [
    `node ${process.version}, redis ${redisVersion}, ${["bullmq", "ioredis", "@fingerprint/node-sdk", "json-rules-engine"].map(version).join(", ")}`,
    `${cpus().length} cores (${cpus()[0]?.model}), load ${loadBefore.toFixed(2)} before, ${loadavg()[0]?.toFixed(2)} after`,
    `medians; a sealed result has ${sample?.sealed.length} bytes`,
  ].join("\n");
}

function keyOf(text: string): SealedKey {
  const [parsed] = parseSealedKeys(text);
  if (parsed === undefined) throw new Error("A fresh key must be usable.");
  return parsed;
}

async function closeAll(): Promise<void> {
  for (const ground of grounds.splice(0)) await ground.close();
}
