import { parseSealedKeys, type SealedKey } from "@assay/fingerprint";
import {
  ConfigError,
  type ConfigFault,
  type Env,
  type EnvReader,
  readDatabaseUrl,
  readEnv,
  readRedisEnv,
  readTenants,
  type RedisEnv,
} from "@assay/host";

/** What the environment says of one tenant. */
export interface TenantSettings {
  readonly name: string;
  /** Newest first; absent when none are configured here. */
  readonly sealedKeys?: readonly SealedKey[] | undefined;
  readonly lookups?: LookupSettings | undefined;
  /** Whether webhooks can prove themselves. */
  readonly takesWebhooks: boolean;
  /** Whether a webhook gets a verdict of its own, or only brings its event. */
  readonly webhookVerdicts: "all" | "none";
  /** Absent where nobody names one. */
  readonly rulesetsFolder?: string | undefined;
}

/** How events are looked up. */
export interface LookupSettings {
  readonly apiKeys: readonly string[];
  readonly region: Region;
  readonly apiUrl?: string | undefined;
  readonly rulesetId?: string | undefined;
  readonly rps: number;
  readonly burst: number;
}

export const REGIONS = ["us", "eu", "ap"] as const;
export type Region = (typeof REGIONS)[number];

/** What the ingress and the worker read of their environment, as far as it can be checked from here. */
export interface Settings extends RedisEnv {
  readonly redisMaxBytes: number;
  readonly streamTtlSeconds: number;
  /** How long the archive keeps verdicts. */
  readonly retentionDays: number;
  /** The archive's Postgres; absent without one. */
  readonly databaseUrl?: string | undefined;
  readonly tenants: readonly TenantSettings[];
}

/** Those that are about tenants, of both apps. */
const TENANT_VARIABLES = {
  own: [
    "ASSAY_SEALED_KEYS",
    "ASSAY_WEBHOOK_SECRETS",
    "ASSAY_WEBHOOK_BASIC_AUTH",
    "ASSAY_FINGERPRINT_API_KEYS",
    "ASSAY_FINGERPRINT_REGION",
    "ASSAY_FINGERPRINT_API_URL",
    "ASSAY_FINGERPRINT_RULESET_ID",
    "ASSAY_FINGERPRINT_RPS",
    "ASSAY_FINGERPRINT_BURST",
  ],
  shared: ["ASSAY_RULESETS", "ASSAY_WEBHOOK_VERDICTS"],
};

/** Reads the environment. Where it is at fault, stand-ins are in the place of what cannot be used. */
export function readSettings(env: Env): { readonly settings: Settings; readonly faults: readonly ConfigFault[] } {
  let settings: Settings | undefined;
  try {
    readEnv(env, (reader) => {
      settings = readAll(reader);
    });
  } catch (error) {
    if (error instanceof ConfigError && settings !== undefined) return { settings, faults: error.faults };
    throw error;
  }
  if (settings === undefined) throw new TypeError("Reading an environment ends with settings or an error.");
  return { settings, faults: [] };
}

function readAll(reader: EnvReader): Settings {
  return {
    ...readRedisEnv(reader),
    redisMaxBytes: reader.integer("ASSAY_REDIS_MAX_BYTES", { default: 0, min: 0 }),
    streamTtlSeconds: reader.integer("ASSAY_STREAM_TTL_SECONDS", { default: 3600, min: 60 }),
    retentionDays: reader.integer("ASSAY_RETENTION_DAYS", { default: 90, min: 1, max: 3650 }),
    databaseUrl: readDatabaseUrl(reader),
    tenants: readTenants(reader, TENANT_VARIABLES, readTenant),
  };
}

function readTenant(name: string, reader: EnvReader): TenantSettings {
  const webhookCredentials = ["ASSAY_WEBHOOK_SECRETS", "ASSAY_WEBHOOK_BASIC_AUTH"].map((each) => reader.secret(each));
  return {
    name,
    sealedKeys: readSealedKeys(reader),
    lookups: readLookups(reader),
    takesWebhooks: webhookCredentials.some((credential) => credential !== undefined),
    webhookVerdicts: reader.choice("ASSAY_WEBHOOK_VERDICTS", ["all", "none"], { default: "all" }),
    rulesetsFolder: reader.optional("ASSAY_RULESETS"),
  };
}

function readSealedKeys(reader: EnvReader): readonly SealedKey[] | undefined {
  const text = reader.secret("ASSAY_SEALED_KEYS");
  try {
    return text === undefined ? undefined : parseSealedKeys(text);
  } catch (error) {
    reader.fault("ASSAY_SEALED_KEYS", error instanceof Error ? error.message : "cannot be read");
    return undefined;
  }
}

function readLookups(reader: EnvReader): LookupSettings | undefined {
  const apiKeys = (reader.secret("ASSAY_FINGERPRINT_API_KEYS") ?? "").split(",").map((key) => key.trim());
  const lookups = {
    apiKeys: apiKeys.filter(Boolean),
    region: reader.choice("ASSAY_FINGERPRINT_REGION", REGIONS, { default: "us" }),
    apiUrl: reader.optional("ASSAY_FINGERPRINT_API_URL", { pattern: /^https?:\/\// }),
    rulesetId: reader.optional("ASSAY_FINGERPRINT_RULESET_ID", { pattern: /^[\w-]{1,64}$/ }),
    rps: reader.integer("ASSAY_FINGERPRINT_RPS", { default: 5, min: 1 }),
    burst: reader.integer("ASSAY_FINGERPRINT_BURST", { default: 15, min: 1 }),
  };
  return lookups.apiKeys.length === 0 ? undefined : lookups;
}
