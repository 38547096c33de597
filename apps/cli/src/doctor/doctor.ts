import { createLookups } from "@assay/fingerprint";
import { readAbilities, readSightings, takeTurn } from "@assay/ledger";
import { createKeys, DEFAULT_TENANT } from "@assay/protocol";
import { RulesetError, type RulesetFolder } from "@assay/rules";
import type { Redis } from "ioredis";
import { count } from "../faults.ts";
import { folderOf, readFolder } from "../read-folder.ts";
import { CommandError, EXIT, type Report, type World } from "../report.ts";
import { checkAllowed } from "./check-allowed.ts";
import { checkApiKeys, type KeyTrial } from "./check-api-keys.ts";
import { checkClock, checkEventClock } from "./check-clock.ts";
import { checkEventIds, checkWebhooks } from "./check-doors.ts";
import { checkLookups } from "./check-lookups.ts";
import { checkMemory } from "./check-memory.ts";
import { checkRedis } from "./check-redis.ts";
import { checkSeals } from "./check-seals.ts";
import { checkSignals } from "./check-signals.ts";
import { checkIngress, checkPending, checkWorkers } from "./check-workers.ts";
import type { Finding, PlacedFinding } from "./finding.ts";
import type { Patient, TenantPatient } from "./patient.ts";
import { reachRedis } from "./reach-redis.ts";
import { type LookupSettings, readSettings, type Settings, type TenantSettings } from "./settings.ts";
import { showFindings } from "./show-findings.ts";

export interface DoctorOptions {
  readonly rulesets?: string;
  readonly tenant?: string;
  /** False asks Fingerprint nothing. */
  readonly lookup: boolean;
}

/** What runs of this command share: the options, the world, and a clock that goes on (unix ms). */
interface Practice {
  readonly options: DoctorOptions;
  readonly world: World;
  readonly clock: () => number;
}

/** `assay doctor`: how an installation fares, and what to do about it. Changes nothing but the count of lookups. */
export async function doctor(options: DoctorOptions, world: World, clock: () => number): Promise<Report> {
  const { settings, faults } = readSettings(world.env, folderOf(options, world));
  const tenants = chosen(settings, options.tenant);
  const findings: PlacedFinding[] = faults.map(({ name, message }) => ({
    name: "environment",
    status: "fail",
    says: `${name} ${message}`,
  }));
  const reached = await reachRedis(settings.redisUrl);
  try {
    const practice = { options, world, clock };
    if (reached.redis === undefined) {
      findings.push({ name: "redis", status: "fail", says: reached.why, do: reached.todo });
      for (const tenant of tenants) findings.push(...placed(tenant, await examineAlone(tenant, practice)));
    } else {
      findings.push(...(await examine(reached.redis, { ...settings, tenants }, practice)));
    }
  } finally {
    if (reached.redis !== undefined) await reached.close();
  }
  return reportOf(findings, reached.redis !== undefined, world);
}

function reportOf(findings: readonly PlacedFinding[], isReached: boolean, { paint }: World): Report {
  const failed = findings.filter(({ status }) => status === "fail").length;
  const warned = findings.filter(({ status }) => status === "warn").length;
  const verdict = [failed > 0 ? `${failed} failed` : "", warned > 0 ? `${warned} to look at` : ""].filter(Boolean);
  const summary = `${count(findings.length, "check")}: ${verdict.join(", ") || "all is well"}.`;
  return {
    exitCode: isReached ? (failed > 0 ? EXIT.faulty : EXIT.fine) : EXIT.unavailable,
    json: { checks: findings },
    text: `${showFindings(findings, paint)}\n\n${paint(failed > 0 ? "red" : warned > 0 ? "yellow" : "green", summary)}`,
  };
}

function chosen({ tenants }: Settings, name: string | undefined): readonly TenantSettings[] {
  if (name === undefined) return tenants;
  const tenant = tenants.find((one) => one.name === name);
  if (tenant !== undefined) return [tenant];
  const known = tenants.map((one) => one.name).join(", ");
  throw new CommandError(EXIT.usage, `There is no tenant ${name} in this environment. There are: ${known}.`);
}

/** What can be said without Redis. */
async function examineAlone(tenant: TenantSettings, practice: Practice): Promise<Finding[]> {
  const { finding } = await loadRulesets(tenant, practice);
  return [...finding, ...(await examineKeys(tenant.lookups, undefined, practice))];
}

async function examine(redis: Redis, settings: Settings, practice: Practice): Promise<PlacedFinding[]> {
  const { own, now } = await compareClocks(redis, practice.clock);
  const tenants: TenantPatient[] = [];
  const loading: Finding[][] = [];
  for (const tenant of settings.tenants) {
    const { prefix } = settings;
    const keys = createKeys({ prefix, tenant: tenant.name });
    const sightings = await readSightings(redis, keys, now);
    const abilities = await readAbilities(redis, prefix, tenant.name);
    const { rulesets, finding } = await loadRulesets(tenant, practice);
    loading.push(finding);
    tenants.push({ tenant, keys, sightings, abilities, rulesets });
  }
  const patient: Patient = { settings, redis, now, tenants };
  const findings: PlacedFinding[] = [
    ...(await asked("redis", () => checkRedis(patient))),
    ...(await asked("memory", () => checkMemory(patient))),
    checkClock(own, now),
    ...(await asked("workers", () => checkWorkers(patient))),
  ];
  for (const [index, one] of tenants.entries()) {
    const found = [...(loading[index] ?? []), ...(await examineTenant(one, patient, practice))];
    findings.push(...placed(one.tenant, found));
  }
  return findings;
}

async function examineTenant(one: TenantPatient, patient: Patient, practice: Practice): Promise<Finding[]> {
  const { tenant, rulesets, sightings } = one;
  const { now, redis } = patient;
  const { lookups } = tenant;
  return [
    ...(await asked("ingress", () => checkIngress(one, patient))),
    ...(await asked("pending", () => checkPending(one, patient))),
    ...(await asked("seals", () => checkSeals(one, patient))),
    checkEventIds(one),
    ...(await examineKeys(lookups, { redis, one }, practice)),
    ...(lookups === undefined ? [] : [checkLookups(lookups, sightings.minutes, now)]),
    checkWebhooks(one, patient),
    checkEventClock(one, now),
    ...(rulesets === undefined ? [] : [...checkAllowed(one, rulesets), ...checkSignals(sightings, rulesets.all)]),
  ];
}

async function examineKeys(
  lookups: LookupSettings | undefined,
  shared: { readonly redis: Redis; readonly one: TenantPatient } | undefined,
  { options, clock }: Practice,
): Promise<Finding[]> {
  const name = "api_keys";
  if (lookups === undefined) return [{ name, status: "skip", says: "ASSAY_FINGERPRINT_API_KEYS is not set here" }];
  if (!options.lookup) return [{ name, status: "skip", says: "Not tried, because of --no-lookup" }];
  const { apiKeys: _, region: __, ...rest } = lookups;
  const trial: KeyTrial = {
    // One of the rate that all workers share, so that it is never exceeded.
    async takeTurn(keyId) {
      if (shared === undefined) return true;
      const { redis, one } = shared;
      const request = { id: `doctor-${keyId}`, isAwaited: true, network: "doctor", withinMs: 0, rate: lookups };
      return (await takeTurn(redis, one.keys, { ...request, apiKeys: [{ keyId, restsForMs: 0 }] })).status === "turn";
    },
    lookUp: (apiKey, region) =>
      createLookups({ ...defined(rest), apiKey, region }).lookup(`${Math.round(clock())}.doctor`),
  };
  return await asked(name, () => checkApiKeys(lookups, trial));
}

/** Without what is undefined. */
function defined({ apiUrl, rulesetId }: Pick<LookupSettings, "apiUrl" | "rulesetId">) {
  return { ...(apiUrl === undefined ? {} : { apiUrl }), ...(rulesetId === undefined ? {} : { rulesetId }) };
}

async function loadRulesets(
  { rulesetsFolder }: TenantSettings,
  { world }: Practice,
): Promise<{ rulesets: RulesetFolder | undefined; finding: Finding[] }> {
  const name = "rulesets";
  try {
    const rulesets = await readFolder(rulesetsFolder, world);
    const says = `${count(rulesets.all.length, "ruleset")} of ${rulesetsFolder} loaded: ${rulesets.all.map((one) => one.name).join(", ")}`;
    return { rulesets, finding: [{ name, status: "ok", says }] };
  } catch (error) {
    if (error instanceof RulesetError) {
      const says = `The rulesets of ${rulesetsFolder} have ${count(error.faults.filter(({ severity }) => severity === "error").length, "fault")}`;
      return {
        rulesets: undefined,
        finding: [{ name, status: "fail", says, do: `run: assay rules check ${rulesetsFolder}` }],
      };
    }
    if (!(error instanceof CommandError)) throw error;
    return { rulesets: undefined, finding: [{ name, status: "fail", says: error.message }] };
  }
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
