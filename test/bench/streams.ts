/**
 * From a verdict to whoever listens over HTTP: one built ingress, verdicts added to the stream at a steady rate, and one
 * listener, many, and one again in the same run. The listeners are a process of their own.
 * Usage, after a build: npx tsx --conditions=@assay/source test/bench/streams.ts [listeners] [verdicts a second]
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { connectForCommands, disconnect, whenReady } from "@assay/ledger";
import { createKeys } from "@assay/protocol";
import { startApp } from "../support/app-process.ts";
import { freePort } from "../support/private-redis.ts";
import { openGround } from "./ground.ts";
import type { Heard } from "./stream-listeners.ts";

const MANY = Number(process.argv[2] ?? 1000);
const EACH_SECOND = Number(process.argv[3] ?? 20);
const SECONDS = 8;
const KIB = 1024;

const ground = await openGround("everysec", "");
const redis = connectForCommands({ url: ground.redisUrl });
ground.closing(() => disconnect(redis));
await whenReady(redis);
const keys = createKeys();
const port = await freePort();
const ingress = startApp("apps/ingress/dist/main.js", {
  REDIS_URL: ground.redisUrl,
  ASSAY_DURABILITY: "memory",
  ASSAY_INGRESS_KEYS: "secret",
  PORT: String(port),
  ASSAY_ADMIN_PORT: "0",
});
ground.closing(() => ingress.stop());
await ingress.line(({ msg }) => msg === "serving");

const rows: string[] = [];
try {
  await measure(1);
  for (const listeners of [1, MANY, 1]) rows.push(show(listeners, await measure(listeners)));
} finally {
  await ground.close();
}
console.log(
  `\n${EACH_SECOND} verdicts/s of ${envelope(0).length} bytes for ${SECONDS} s; load ${loadavg()[0]?.toFixed(1)}`,
);
console.log("listeners  events/s   p50 ms   p99 ms   most ms   lost   memory of the ingress, each listener's");
for (const row of rows) console.log(row);

interface Measured {
  readonly heard: Heard;
  readonly kib: number;
  readonly kibEach: number;
}

async function measure(count: number): Promise<Measured> {
  const before = rssKib();
  const listeners = fork(fileURLToPath(new URL("stream-listeners.ts", import.meta.url)), [String(port), String(count)]);
  const told = (): Promise<unknown[]> => once(listeners, "message");
  await told();
  const opened = rssKib();
  const startedAt = performance.now();
  const total = EACH_SECOND * SECONDS;
  for (let sent = 0; sent < total; sent++) {
    await setTimeout(Math.max(0, startedAt + (sent * 1000) / EACH_SECOND - performance.now()));
    await redis.xadd(keys.verdicts(), "*", "e", envelope(Date.now()));
  }
  const kib = Math.max(opened, rssKib());
  await setTimeout(2000);
  listeners.send("tell");
  const [heard] = await told();
  const exited = once(listeners, "exit");
  listeners.kill();
  await exited;
  await redis.del(keys.verdicts());
  return { heard: heardOf(heard), kib, kibEach: (kib - before) / count };
}

function heardOf(message: unknown): Heard {
  if (typeof message === "string") return JSON.parse(message);
  throw new TypeError("The listeners told nothing.");
}

function show(count: number, { heard, kib, kibEach }: Measured): string {
  const { events, p50Ms, p99Ms, mostMs } = heard;
  const cells = [
    String(count).padStart(9),
    (events / SECONDS).toFixed(0).padStart(9),
    p50Ms.toFixed(0).padStart(8),
    p99Ms.toFixed(0).padStart(8),
    mostMs.toFixed(0).padStart(9),
    String(count * EACH_SECOND * SECONDS - events).padStart(6),
  ];
  const each = count > 1 ? `, ${kibEach.toFixed(0)} KiB` : "";
  return `${cells.join(" ")}   ${(kib / KIB).toFixed(0)} MiB${each}`;
}

/** About as long as a verdict is. */
function envelope(at: number): string {
  const data = { schema: "assay.verdict/1", id: "s_1", kind: "sealed", action: "allow", padding: "x".repeat(1500) };
  return JSON.stringify({ type: "verdict.decided", id: "s_1", at, data });
}

function rssKib(): number {
  const status = readFileSync(`/proc/${ingress.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN);
}
