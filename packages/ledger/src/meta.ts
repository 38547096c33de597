import { metaKey, SHARD_COUNT } from "@assay/protocol";
import type { Redis } from "ioredis";

/** Version of the key layout and record fields that this code writes. */
const SCHEMA_VERSION = 1;

/** Facts of an installation that every process must agree on. */
export interface InstallationMeta {
  /** Random key of this installation, hex; keys the hashes in claims, so that they cannot be guessed from outside. */
  readonly hashKey: string;
}

/** A Redis that was written by another version, or with another shard count. */
export class SchemaMismatchError extends Error {
  override readonly name = "SchemaMismatchError";
  readonly code = "schema_mismatch";
}

/**
 * Reads `assay:meta`, and writes it where Redis is new. `freshKey` is the random key to use then (64 hex characters).
 * Throws a SchemaMismatchError when what is there does not fit this version.
 */
export async function openInstallation(redis: Redis, prefix: string, freshKey: string): Promise<InstallationMeta> {
  const key = metaKey(prefix);
  await Promise.all([
    redis.hsetnx(key, "schema", SCHEMA_VERSION),
    redis.hsetnx(key, "shards", SHARD_COUNT),
    redis.hsetnx(key, "hash_key", freshKey),
  ]);
  return checked(key, await redis.hmget(key, "schema", "shards", "hash_key"));
}

/** The same of an installation that is there already, undefined where there is none: also while Redis is full. */
export async function readInstallation(redis: Redis, prefix: string): Promise<InstallationMeta | undefined> {
  const key = metaKey(prefix);
  const fields = await redis.hmget(key, "schema", "shards", "hash_key");
  return fields.every((field) => field === null) ? undefined : checked(key, fields);
}

function checked(key: string, [schema, shards, hashKey]: readonly (string | null)[]): InstallationMeta {
  if (schema !== String(SCHEMA_VERSION) || shards !== String(SHARD_COUNT) || typeof hashKey !== "string") {
    throw new SchemaMismatchError(
      `${key} says schema ${schema}, shards ${shards}; this version writes schema ${SCHEMA_VERSION}, shards ${SHARD_COUNT}. ` +
        "Run the version that wrote it, or use another ASSAY_PREFIX.",
    );
  }
  return { hashKey };
}
