import { readAbilities, readSightings } from "@assay/ledger";
import { createKeys, DEFAULT_TENANT } from "@assay/protocol";
import type { Redis } from "ioredis";
import { checkArchive } from "./check-archive.ts";
import { checkAllowed } from "./check-allowed.ts";
import { checkClock, checkEventClock } from "./check-clock.ts";
import { checkEventIds, checkWebhooks } from "./check-doors.ts";
import { checkLookups } from "./check-lookups.ts";
import { checkMemory } from "./check-memory.ts";
import { checkRedis } from "./check-redis.ts";
import { checkSeals } from "./check-seals.ts";
import { checkSignals } from "./check-signals.ts";
import { checkIngress, checkPending, checkWorkers } from "./check-workers.ts";
import type { Finding, PlacedFinding } from "./finding.ts";
import { loadRulesets } from "./load-rulesets.ts";
import type { Patient, TenantPatient } from "./patient.ts";
import type { Practice } from "./practice.ts";
import type { Settings, TenantSettings } from "./settings.ts";
import { tryApiKeys } from "./try-api-keys.ts";

/** All that can be said of an installation. */
export async function examine(redis: Redis, settings: Settings, practice: Practice): Promise<PlacedFinding[]> {
  const { own, now } = await compareClocks(redis, practice.clock);
  const tenants: TenantPatient[] = [];
  const loaded: Finding[] = [];
  for (const tenant of settings.tenants) {
    const { prefix } = settings;
    const keys = createKeys({ prefix, tenant: tenant.name });
    const sightings = await readSightings(redis, keys, now);
    const abilities = await readAbilities(redis, prefix, tenant.name);
    const { rulesets, finding } = await loadRulesets(tenant, practice);
    loaded.push(...placed(tenant, [finding]));
    tenants.push({ tenant, keys, sightings, abilities, rulesets });
  }
  const patient: Patient = { settings, redis, now, tenants };
  const findings: PlacedFinding[] = [
    ...(await asked("redis", () => checkRedis(patient))),
    ...(await asked("memory", () => checkMemory(patient))),
    checkClock(own, now),
    ...(await asked("workers", () => checkWorkers(patient))),
    ...loaded,
  ];
  for (const one of tenants) findings.push(...placed(one.tenant, await examineTenant(one, patient, practice)));
  return findings;
}

/** What can be said of a tenant without Redis. */
export async function examineAlone(tenant: TenantSettings, practice: Practice): Promise<PlacedFinding[]> {
  const { finding } = await loadRulesets(tenant, practice);
  return placed(tenant, [finding, ...(await tryApiKeys(tenant.lookups, undefined, practice))]);
}

async function examineTenant(one: TenantPatient, patient: Patient, practice: Practice): Promise<Finding[]> {
  const { tenant, keys, rulesets, sightings } = one;
  const { now, redis } = patient;
  const { lookups } = tenant;
  return [
    ...(await asked("ingress", () => checkIngress(one, patient))),
    ...(await asked("pending", () => checkPending(one, patient))),
    ...(await asked("archive", () => checkArchive(one, patient))),
    ...(await asked("seals", () => checkSeals(one, patient))),
    checkEventIds(one),
    ...(await asked("api_keys", () => tryApiKeys(lookups, { redis, keys }, practice))),
    ...(lookups === undefined ? [] : [checkLookups(lookups, sightings.minutes, now)]),
    checkWebhooks(one, patient),
    checkEventClock(one, now),
    ...(rulesets === undefined ? [] : [...checkAllowed(one, rulesets), ...checkSignals(sightings, rulesets.all)]),
  ];
}

/** The two clocks at one moment, unix ms: half of the way there and back lies before it. */
async function compareClocks(redis: Redis, clock: () => number): Promise<{ own: number; now: number }> {
  const sent = clock();
  const [seconds, microseconds] = await redis.time();
  return { own: (sent + clock()) / 2, now: Number(seconds) * 1000 + Number(microseconds) / 1000 };
}

/** What a check finds. What this Redis does not let anybody ask says so, and the others go on. */
async function asked(name: string, check: () => Promise<Finding | Finding[]>): Promise<Finding[]> {
  try {
    return [await check()].flat();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return [{ name, status: "skip", says: `Could not be found out: ${error.message}` }];
  }
}

function placed({ name: tenant }: TenantSettings, findings: readonly Finding[]): PlacedFinding[] {
  return findings.map((finding) => (tenant === DEFAULT_TENANT ? finding : { ...finding, tenant }));
}
