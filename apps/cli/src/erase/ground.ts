import { ArchiveError, type ArchivePool, createArchivePool } from "@assay/archive";
import { readRedisEnv } from "@assay/host";
import { isPassing, readAbilities, type Subject } from "@assay/ledger";
import { createKeys, DEFAULT_TENANT, isTenantName, type Keys, parseAddress } from "@assay/protocol";
import type { Redis } from "ioredis";
import { findDatabaseUrl } from "../database-url.ts";
import { installationOf, readSettings } from "../installation.ts";
import { reachRedis } from "../reach-redis.ts";
import { CommandError, EXIT, type World } from "../report.ts";

/** Whom a command line names, and where. */
export interface SubjectOptions {
  readonly user?: string;
  readonly visitor?: string;
  readonly linkedId?: string;
  readonly ip?: string;
  readonly reference?: string;
  readonly tenant?: string;
}

/** The stores of a tenant, open. */
export interface Ground {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly hashKey: string;
  readonly tenant: string;
  readonly subject: Subject;
  /** How long a tombstone stands. */
  readonly retentionMs: number;
  /** Says how far it is, where somebody looks. */
  readonly show: (line: string) => void;
  /** Absent where DATABASE_URL is not set. */
  readonly archive?: ArchivePool;
}

/** A walk over a day of an archive takes its time. */
const ARCHIVE_TIMEOUT_MS = 600_000;
const DAY_MS = 86_400_000;

/** Opens the stores, acts, and closes them. Throws a CommandError for what cannot be read or reached, or fails. */
export async function onGround<Answer>(
  options: SubjectOptions,
  { env, showProgress }: World,
  act: (ground: Ground) => Promise<Answer>,
): Promise<Answer> {
  const { tenant = DEFAULT_TENANT } = options;
  const subject = subjectOf(options);
  if (!isTenantName(tenant)) throw new CommandError(EXIT.usage, `${tenant} is no name of a tenant.`);
  const { redisUrl, prefix, retentionDays } = settingsOf(env);
  const databaseUrl = findDatabaseUrl(env);
  const reached = await reachRedis(redisUrl);
  if (reached.redis === undefined) throw new CommandError(EXIT.unavailable, `${reached.why}: ${reached.todo}.`);
  const archive =
    databaseUrl === undefined
      ? undefined
      : createArchivePool({ connectionString: databaseUrl, timeoutMs: ARCHIVE_TIMEOUT_MS });
  const { redis } = reached;
  try {
    const { hashKey } = await installationOf(redis, prefix);
    const { maxArchiveBytes } = await readAbilities(redis, prefix, tenant);
    if (archive === undefined && maxArchiveBytes !== undefined) {
      throw new CommandError(EXIT.usage, `Tenant ${tenant} has an archive, which knows more: set DATABASE_URL.`);
    }
    const keys = createKeys({ prefix, tenant });
    const show = (line: string) => showProgress?.(line);
    const ground = { redis, keys, hashKey, tenant, subject, retentionMs: retentionDays * DAY_MS, show };
    return await act(archive === undefined ? ground : { ...ground, archive });
  } catch (error) {
    const isOfStores = error instanceof ArchiveError || (error instanceof Error && isPassing(error));
    if (!isOfStores) throw error;
    throw new CommandError(EXIT.unavailable, `${error.message} Not everything was done: run it again.`, {
      cause: error,
    });
  } finally {
    showProgress?.("");
    await archive?.stop();
    await reached.close();
  }
}

function subjectOf({ user, visitor, linkedId, ip, reference }: SubjectOptions): Subject {
  const given = Object.entries({ user, visitor, linked_id: linkedId, ip, reference });
  const named = given.filter(([, value]) => value !== undefined && value !== "");
  const [only] = named;
  const hint = "Name one subject: --user, --visitor, --linked-id, --ip or --reference.";
  if (only === undefined || named.length > 1) throw new CommandError(EXIT.usage, hint);
  if (ip !== undefined && parseAddress(ip) === undefined) throw new CommandError(EXIT.usage, `--ip takes one address.`);
  if (user !== undefined) return { kind: "user", value: user };
  if (visitor !== undefined) return { kind: "visitor", value: visitor };
  if (linkedId !== undefined) return { kind: "linked_id", value: linkedId };
  if (ip !== undefined) return { kind: "ip", value: ip };
  return { kind: "reference", value: reference ?? "" };
}

function settingsOf(env: World["env"]) {
  return readSettings(env, (reader) => ({
    ...readRedisEnv(reader),
    retentionDays: reader.integer("ASSAY_RETENTION_DAYS", { default: 90, min: 1, max: 36_500 }),
  }));
}
