import { ConfigError } from "@assay/host";
import { type LookupSettings, readSettings } from "../doctor/settings.ts";
import { CommandError, EXIT, type World } from "../report.ts";

/** What a backfill reads of the environment of a worker. */
export interface BackfillSettings {
  readonly redisUrl: string;
  readonly prefix: string;
  /** 0 where Redis has a bound of its own. */
  readonly redisMaxBytes: number;
  /** How long the archive keeps verdicts. */
  readonly retentionDays: number;
  readonly tenant: string;
  readonly lookups: LookupSettings;
}

/** Throws a CommandError that names every fault. */
export function readBackfillSettings(env: World["env"], name: string): BackfillSettings {
  const { settings, faults } = readSettings(env);
  if (faults.length > 0) throw new CommandError(EXIT.usage, new ConfigError(faults).message);
  const tenant = settings.tenants.find((one) => one.name === name);
  if (tenant === undefined) {
    const known = settings.tenants.map((one) => one.name).join(", ");
    throw new CommandError(EXIT.usage, `There is no tenant ${name} in this environment. There are: ${known}.`);
  }
  if (tenant.lookups === undefined) {
    const message = `The tenant ${name} has no ASSAY_FINGERPRINT_API_KEYS: set the secret key of its workspace.`;
    throw new CommandError(EXIT.usage, message);
  }
  const { redisUrl, prefix, redisMaxBytes, retentionDays } = settings;
  return { redisUrl, prefix, redisMaxBytes, retentionDays, tenant: name, lookups: tenant.lookups };
}
