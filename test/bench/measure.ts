import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Contender } from "./contender.ts";
import type { Work } from "./workload.ts";

/** What one measurement found. */
export interface Measured {
  readonly perSecond: number;
  /** Microseconds of CPU per submission; NaN where the system does not tell. */
  readonly workerMicros: number;
  readonly redisMicros: number;
}

const MAX_IN_FLIGHT = 512;
// The stream's length is asked for this often, which costs Redis next to nothing.
const LOOK_EVERY_MS = 2;
const GIVE_UP_AFTER_MS = 45_000;

/** The worker alone: lays up all work, then counts the time from when fetching begins to the last verdict. */
export async function measureDrain(contender: Contender, work: readonly Work[]): Promise<Measured> {
  const { queue } = contender;
  await queue.pause();
  await sendAll(contender, work, async () => 0, work.length);
  return await measure(contender, work, async () => {
    await queue.resume();
    await untilDecided(contender, work.length);
  });
}

/** All together: work is handed in while the worker decides, at most 512 submissions on their way at any time. */
export async function measureEndToEnd(contender: Contender, work: readonly Work[]): Promise<Measured> {
  return await measure(contender, work, async () => {
    await sendAll(contender, work, () => decided(contender), MAX_IN_FLIGHT);
    await untilDecided(contender, work.length);
  });
}

async function measure(contender: Contender, work: readonly Work[], run: () => Promise<void>): Promise<Measured> {
  const { worker, redis } = contender;
  const cpu = { worker: cpuMicros(worker.pid), redis: await redisCpuMicros(redis) };
  const startMs = performance.now();
  await run();
  const seconds = (performance.now() - startMs) / 1000;
  const measured = {
    perSecond: work.length / seconds,
    workerMicros: (cpuMicros(worker.pid) - cpu.worker) / work.length,
    redisMicros: ((await redisCpuMicros(redis)) - cpu.redis) / work.length,
  };
  await contender.clear(work);
  return measured;
}

/** Hands everything in, with at most `mostInFlight` between the door and the stream. */
async function sendAll(
  contender: Contender,
  work: readonly Work[],
  done: () => Promise<number>,
  mostInFlight: number,
): Promise<void> {
  let failure: unknown;
  const sending = new Set<Promise<void>>();
  for (let sent = 0; sent < work.length;) {
    const room = mostInFlight - (sent - (await done()));
    for (let free = room; free > 0 && sent < work.length;) {
      const part = work.slice(sent, sent + contender.together);
      if (part.length > free) break;
      free -= part.length;
      sent += part.length;
      const send = contender.handIn(part).catch((error: unknown) => {
        failure ??= error;
      });
      const tracked: Promise<void> = send.finally(() => sending.delete(tracked));
      sending.add(tracked);
      if (sending.size >= MAX_IN_FLIGHT / contender.together) await Promise.race(sending);
    }
    await setTimeout(LOOK_EVERY_MS);
    if (failure !== undefined) break;
  }
  await Promise.all(sending);
  if (failure !== undefined) throw new Error(`${contender.name}: work could not be handed in`, { cause: failure });
}

async function untilDecided(contender: Contender, count: number): Promise<void> {
  const deadline = performance.now() + GIVE_UP_AFTER_MS;
  for (;;) {
    const found = await decided(contender);
    if (found >= count) return;
    if (performance.now() > deadline) {
      const said = contender.worker.output.slice(-5).join("\n");
      throw new Error(`${contender.name}: ${found} of ${count} verdicts within ${GIVE_UP_AFTER_MS} ms\n${said}`);
    }
    await setTimeout(LOOK_EVERY_MS);
  }
}

async function decided({ redis, stream }: Contender): Promise<number> {
  return await redis.xlen(stream);
}

async function redisCpuMicros(redis: Redis): Promise<number> {
  const info = await redis.info("cpu");
  const seconds = (name: string) => Number(new RegExp(`^${name}:([0-9.]+)`, "m").exec(info)?.[1]);
  return (seconds("used_cpu_user") + seconds("used_cpu_sys")) * 1e6;
}

// Linux counts in hundredths of a second; fields 14 and 15 are user and system, counted after the name in brackets.
function cpuMicros(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return Number.NaN;
  }
}
