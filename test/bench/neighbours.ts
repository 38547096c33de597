/**
 * From accept to verdict for sealed results, while lookups wait for a vendor that is quiet, answers, or misbehaves: one
 * built worker, a steady flow of both kinds, conditions in turns. The peer of each line is a vendor that answers.
 * Usage, after a build: npx tsx --conditions=@assay/source test/bench/neighbours.ts
 */
import { randomBytes } from "node:crypto";
import { loadavg } from "node:os";
import { setTimeout } from "node:timers/promises";
import { createProducer } from "@assay/client/producer";
import { parseSealedKeys, type SealedKey } from "@assay/fingerprint";
import type { Misbehaviour } from "@assay/fingerprint/stand-in";
import { connectForCommands, disconnect, whenReady } from "@assay/ledger";
import { createKeys, type Verdict } from "@assay/protocol";
import { startApp } from "../support/app-process.ts";
import { eventually } from "../support/eventually.ts";
import { aToken, anEventId } from "../support/events.ts";
import { startFingerprintApi } from "../support/fingerprint-api.ts";
import { openGround } from "./ground.ts";
import { someWork } from "./workload.ts";

type Condition = readonly [name: string, vendor: Misbehaviour | "answers" | "nothing is looked up"];

const CONDITIONS: readonly Condition[] = [
  ["nothing is looked up", "nothing is looked up"],
  ["the vendor answers", "answers"],
  ["the vendor hangs", { kind: "hang" }],
  ["the vendor answers 500", { kind: "failing", status: 500 }],
  ["the vendor throttles", { kind: "throttled", as: "json" }],
  ["the vendor resets in mid-body", { kind: "reset" }],
  ["the vendor sends 10 MB", { kind: "huge" }],
];
const ROUNDS = 3;
const SECONDS = 5;
const SEALED_EACH_SECOND = 100;
const LOOKUPS_EACH_SECOND = 40;
const TICK_MS = 50;

const keyText = randomBytes(32).toString("base64");
const sealedKey = aKey(keyText);
const ground = await openGround("always", keyText);
const api = await startFingerprintApi({ inventsEvents: true });
ground.closing(() => api.stop());
const redis = connectForCommands({ url: ground.redisUrl });
ground.closing(() => disconnect(redis));
await whenReady(redis);
const producer = await createProducer({ redis });
ground.closing(() => producer.stop());
const keys = createKeys();
const worker = startApp("apps/worker/dist/main.js", {
  REDIS_URL: ground.redisUrl,
  ASSAY_SEALED_KEYS: keyText,
  ASSAY_FINGERPRINT_API_KEYS: "an-api-key",
  ASSAY_FINGERPRINT_API_URL: api.url,
  ASSAY_ADMIN_PORT: "0",
  LOG_VERDICTS: "none",
});
ground.closing(() => worker.stop());
await worker.line(({ msg }) => msg === "deciding");

const loadBefore = loadavg()[0] ?? 0;
const found = new Map<string, number[][]>(CONDITIONS.map(([name]) => [name, []]));
try {
  await measure("nothing is looked up");
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, vendor] of round % 2 === 0 ? CONDITIONS : CONDITIONS.toReversed())
      found.get(name)?.push(await measure(vendor));
  }
} finally {
  await ground.close();
}
print();

function aKey(text: string): SealedKey {
  const [key] = parseSealedKeys(text);
  if (key === undefined) throw new Error("A fresh key must be usable.");
  return key;
}

/** Ms from accept to verdict of each sealed result. */
async function measure(vendor: Condition[1]): Promise<number[]> {
  api.behave();
  if (typeof vendor !== "string") api.misbehave(vendor, { times: Number.POSITIVE_INFINITY });
  const work = someWork(SECONDS * SEALED_EACH_SECOND, sealedKey);
  const perTick = (SEALED_EACH_SECOND * TICK_MS) / 1000;
  const lookupsPerTick = vendor === "nothing is looked up" ? 0 : (LOOKUPS_EACH_SECOND * TICK_MS) / 1000;
  const sent: Promise<unknown>[] = [];
  for (let start = 0; start < work.length; start += perTick) {
    for (const { id, sealed, context } of work.slice(start, start + perTick))
      sent.push(producer.submit({ id, submission: { kind: "sealed", payload: sealed, context } }));
    for (let n = 0; n < lookupsPerTick; n++) {
      const id = `s_${aToken(26)
        .toLowerCase()
        .replaceAll(/[^a-z2-7]/g, "a")}`;
      sent.push(producer.submit({ id, submission: { kind: "lookup", event_id: anEventId() } }));
    }
    await setTimeout(TICK_MS);
  }
  await Promise.all(sent);
  return await Promise.all(
    work.map(({ id }) =>
      eventually(
        async () => {
          const verdict: Verdict = JSON.parse((await redis.get(keys.verdict(id))) ?? "");
          return verdict.decided_at - verdict.received_at;
        },
        { timeoutMs: 60_000 },
      ),
    ),
  );
}

function print(): void {
  const at = (values: readonly number[], share: number) =>
    values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;
  const median = (values: readonly number[]) => at(values, 0.5);
  const peers = found.get("the vendor answers") ?? [];
  console.log(
    `node ${process.version}, redis ${ground.redisVersion}, load ${loadBefore.toFixed(2)} before, ${loadavg()[0]?.toFixed(2)} after; ` +
      `${SEALED_EACH_SECOND} sealed results and ${LOOKUPS_EACH_SECOND} lookups a second, medians of ${ROUNDS} rounds\n`,
  );
  console.log(
    `${"".padEnd(32)}${"p50 ms".padStart(8)}${"p95 ms".padStart(8)}${"p95 × answers".padStart(16)}  in a round`,
  );
  for (const [name, rounds] of found) {
    const p95 = rounds.map((round) => at(round, 0.95));
    const ratios = p95.map((value, round) => value / at(peers[round] ?? [], 0.95));
    console.log(
      name.padEnd(32) +
        median(rounds.map((round) => at(round, 0.5)))
          .toFixed(0)
          .padStart(8) +
        median(p95).toFixed(0).padStart(8) +
        (median(p95) / median(peers.map((round) => at(round, 0.95)))).toFixed(2).padStart(16) +
        `  ${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
    );
  }
}
