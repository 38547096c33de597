import { type Keys, readEnvelope, type Verdict } from "@assay/protocol";
import type { Redis } from "ioredis";
import type { Finding } from "./finding.ts";
import { judgeMemory, type Kept, type Load } from "./memory-forecast.ts";
import type { Patient, TenantPatient } from "./patient.ts";
import { rateOf } from "./rate.ts";

const SAMPLED = 20;

/** Redis's memory: what it holds, and what it will hold at the rate of late. */
export async function checkMemory({ redis, now, settings, tenants }: Patient): Promise<Finding> {
  const info = await redis.info("memory");
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
  const bound = field("maxmemory") > 0 ? field("maxmemory") : settings.redisMaxBytes;
  const loads: Load[] = [];
  for (const patient of tenants) loads.push(await loadOf(patient, { redis, now, settings }));
  return judgeMemory({ used: field("used_memory"), base: field("used_memory_startup"), bound }, loads);
}

async function loadOf(
  { keys, sightings }: TenantPatient,
  { redis, now, settings }: Pick<Patient, "redis" | "now" | "settings">,
): Promise<Load> {
  const { perSecond } = rateOf(sightings.minutes, "verdicts", now);
  const length = await redis.xlen(keys.verdicts());
  const entries = await redis.xrevrange(keys.verdicts(), "+", "-", "COUNT", SAMPLED);
  const verdicts = entries.flatMap(([, fields]) => readEnvelope(fields[1] ?? "")?.data ?? []);
  // A test event leaves next to nothing, and is in no rate.
  const real = verdicts.filter(({ test }) => test !== true);
  const sampled = await Promise.all(real.map((verdict) => keptOf(redis, keys, verdict, now)));
  const stream = (await bytesOf(redis, keys.verdicts())) / Math.max(1, length);
  const kept: Kept[] = sampled.flat().map((one) => ({ ...one, bytes: one.bytes / sampled.length }));
  kept.push({ variable: "ASSAY_STREAM_TTL_SECONDS", bytes: stream, seconds: settings.streamTtlSeconds });
  return { perSecond, kept };
}

/** What one verdict left, told by the keys themselves: their size, and how long they last. */
async function keptOf(redis: Redis, keys: Keys, verdict: Verdict, now: number): Promise<Kept[]> {
  const { id, event_id: eventId, context: { flow = "-" } = {} } = verdict;
  const places: [key: string, variable?: Kept["variable"]][] = [
    [keys.record(id), "ASSAY_IDEMPOTENCY_TTL_SECONDS"],
    [keys.verdict(id), "ASSAY_VERDICT_TTL_SECONDS"],
  ];
  if (eventId !== undefined) {
    places.push([keys.eventVerdicts(eventId), "ASSAY_IDEMPOTENCY_TTL_SECONDS"], [keys.storedEvent(eventId)]);
    places.push([keys.claim(eventId, flow)], [keys.claim(eventId, "*")]);
  }
  const ageMs = Math.max(0, now - verdict.decided_at);
  return await Promise.all(
    places.map(async ([key, variable]) => {
      const [bytes, leftMs] = await Promise.all([bytesOf(redis, key), redis.pttl(key)]);
      const seconds = leftMs < 0 ? 0 : (leftMs + ageMs) / 1000;
      return { bytes, seconds, ...(variable === undefined ? {} : { variable }) };
    }),
  );
}

async function bytesOf(redis: Redis, key: string): Promise<number> {
  return (await redis.memory("USAGE", key)) ?? 0;
}
