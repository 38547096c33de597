import { fileURLToPath } from "node:url";
import { createUnsealer, parseSealedKeys, type Unsealer } from "@assay/fingerprint";
import {
  type Env,
  type EnvReader,
  LOG_LEVELS,
  type LogLevel,
  readEnv,
  readRedisEnv,
  readTenants,
  type RedisEnv,
} from "@assay/host";
import { type ArchiveConfig, readArchiveConfig } from "./archive/archive-config.ts";
import { type DeliverConfig, readDeliverConfig } from "./deliver/deliver-config.ts";
import { VERDICT_LOGS, type VerdictLog } from "./report.ts";

/**
 * What a worker process may do: `score` decides submissions, `deliver` sends verdicts to endpoints, `archive` brings them
 * into Postgres.
 */
const WORKER_ROLES = ["score", "deliver", "archive"] as const;

type WorkerRole = (typeof WORKER_ROLES)[number];

/** Everything the worker is told by its environment. */
export interface WorkerConfig extends RedisEnv {
  /** At least one. */
  readonly roles: readonly WorkerRole[];
  /** There when `roles` has `deliver`. */
  readonly deliver?: DeliverConfig;
  /** There where the installation has an archive, also when `roles` has no `archive`. */
  readonly archive?: ArchiveConfig;
  /** Bytes that may wait in Redis for the archive. */
  readonly maxArchiveBytes: number;
  /** At least one. */
  readonly tenants: readonly TenantConfig[];
  readonly concurrency: number;
  readonly verdictTtlMs: number;
  readonly recordTtlMs: number;
  readonly streamTtlMs: number;
  readonly adminPort: number;
  readonly logLevel: LogLevel;
  readonly verdictLog: VerdictLog;
}

/** What the worker is told of one tenant. */
export interface TenantConfig {
  readonly name: string;
  /** Base64 keys, newest first; absent when sealed results cannot be opened here. */
  readonly sealedKeys?: string;
  readonly lookups?: LookupsConfig;
  readonly rulesetsFolder: string;
}

/** How events are looked up. */
export interface LookupsConfig {
  /** At least one; the rate is that of each. */
  readonly apiKeys: readonly string[];
  readonly region: "us" | "eu" | "ap";
  readonly apiUrl?: string;
  readonly rulesetId?: string;
  readonly rps: number;
  readonly burst: number;
}

const TENANT_VARIABLES = {
  own: [
    "ASSAY_SEALED_KEYS",
    "ASSAY_FINGERPRINT_API_KEYS",
    "ASSAY_FINGERPRINT_REGION",
    "ASSAY_FINGERPRINT_API_URL",
    "ASSAY_FINGERPRINT_RULESET_ID",
    "ASSAY_FINGERPRINT_RPS",
    "ASSAY_FINGERPRINT_BURST",
  ],
  shared: ["ASSAY_RULESETS"],
};

/** Reads the environment, or throws one ConfigError that names every fault. */
export function loadConfig(env: Env = process.env): WorkerConfig {
  return readEnv(env, (reader) => {
    const tenants = readAllTenants(reader);
    const names = tenants.map(({ name }) => name);
    const archiving = readArchiveConfig(reader);
    const { archive } = archiving;
    // With an archive Redis need not keep a verdict for long.
    const verdictTtlSeconds = archive === undefined ? 86_400 : 3600;
    return {
      ...readRedisEnv(reader),
      ...archiving,
      ...readRoles(reader, readDeliverConfig(reader, names), archive),
      tenants,
      concurrency: reader.integer("ASSAY_CONCURRENCY", { default: 8, min: 1, max: 200 }),
      verdictTtlMs: 1000 * reader.integer("ASSAY_VERDICT_TTL_SECONDS", { default: verdictTtlSeconds, min: 60 }),
      recordTtlMs: 1000 * reader.integer("ASSAY_IDEMPOTENCY_TTL_SECONDS", { default: 86_400, min: 60 }),
      streamTtlMs: 1000 * reader.integer("ASSAY_STREAM_TTL_SECONDS", { default: 3600, min: 60 }),
      adminPort: reader.integer("ASSAY_ADMIN_PORT", { default: 9090, min: 0, max: 65_535 }),
      logLevel: reader.choice("LOG_LEVEL", [...LOG_LEVELS], { default: "info" }),
      verdictLog: reader.choice("LOG_VERDICTS", [...VERDICT_LOGS], { default: "all" }),
    };
  });
}

function readRoles(
  reader: EnvReader,
  deliver: DeliverConfig | undefined,
  archive: ArchiveConfig | undefined,
): Pick<WorkerConfig, "roles" | "deliver"> {
  const configured = WORKER_ROLES.filter((role) => ({ score: true, deliver, archive })[role] !== undefined);
  const roles = reader.list("ASSAY_WORKER_ROLES", { default: configured }).flatMap((text) => {
    const role = WORKER_ROLES.find((one) => one === text);
    if (role === undefined) reader.fault("ASSAY_WORKER_ROLES", `must be of ${WORKER_ROLES.join(", ")}.`);
    return role ?? [];
  });
  if (roles.length === 0) reader.fault("ASSAY_WORKER_ROLES", "names no role: this process would do nothing.");
  if (roles.includes("archive") && archive === undefined)
    reader.fault("ASSAY_WORKER_ROLES", "has archive, and DATABASE_URL is not set. Set it, or remove archive.");
  if (!roles.includes("deliver")) return { roles };
  if (deliver !== undefined) return { roles, deliver };
  // A fault of the file itself is told already.
  if (reader.optional("ASSAY_ENDPOINTS_FILE") === undefined)
    reader.fault("ASSAY_WORKER_ROLES", "has deliver, and ASSAY_ENDPOINTS_FILE is not set. Set it, or remove deliver.");
  return { roles };
}

function readAllTenants(reader: EnvReader): readonly TenantConfig[] {
  const owners = new Map<string, string>();
  return readTenants(reader, TENANT_VARIABLES, (name, settings) => {
    const sealedKeys = readSealedKeys(settings);
    const lookups = readLookups(settings);
    for (const apiKey of lookups?.apiKeys ?? []) {
      const owner = owners.get(apiKey) ?? name;
      owners.set(apiKey, owner);
      // What one of them looks up the other could see.
      if (owner !== name)
        settings.fault("ASSAY_FINGERPRINT_API_KEYS", `has a key of the tenant ${owner}. Give each tenant its own.`);
    }
    return {
      name,
      rulesetsFolder: settings.string("ASSAY_RULESETS", {
        default: fileURLToPath(new URL("../../../rulesets", import.meta.url)),
      }),
      ...(sealedKeys === undefined ? {} : { sealedKeys }),
      ...(lookups === undefined ? {} : { lookups }),
    };
  });
}

function readSealedKeys(reader: EnvReader): string | undefined {
  const text = reader.secret("ASSAY_SEALED_KEYS");
  if (text === undefined) return undefined;
  try {
    parseSealedKeys(text);
    return text;
  } catch (error) {
    reader.fault("ASSAY_SEALED_KEYS", error instanceof Error ? error.message : "cannot be read");
    return undefined;
  }
}

/** Opens sealed results with the configured keys; undefined when there are none. */
export function unsealerOf(tenant: Pick<TenantConfig, "sealedKeys">): Unsealer | undefined {
  return tenant.sealedKeys === undefined ? undefined : createUnsealer(parseSealedKeys(tenant.sealedKeys));
}

function readLookups(reader: EnvReader): LookupsConfig | undefined {
  const apiKeys =
    reader
      .secret("ASSAY_FINGERPRINT_API_KEYS")
      ?.split(",")
      .map((key) => key.trim())
      .filter(Boolean) ?? [];
  const apiUrl = reader.optional("ASSAY_FINGERPRINT_API_URL", { pattern: /^https?:\/\// });
  const rulesetId = reader.optional("ASSAY_FINGERPRINT_RULESET_ID", { pattern: /^[\w-]{1,64}$/ });
  const region = reader.choice("ASSAY_FINGERPRINT_REGION", ["us", "eu", "ap"], { default: "us" });
  const rps = reader.integer("ASSAY_FINGERPRINT_RPS", { default: 5, min: 1 });
  const burst = reader.integer("ASSAY_FINGERPRINT_BURST", { default: 15, min: 1 });
  if (apiKeys.length === 0) return undefined;
  return {
    apiKeys: [...new Set(apiKeys)],
    region,
    rps,
    burst,
    ...(apiUrl === undefined ? {} : { apiUrl }),
    ...(rulesetId === undefined ? {} : { rulesetId }),
  };
}
