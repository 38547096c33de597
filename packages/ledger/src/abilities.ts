import { metaKey } from "@assay/protocol";
import type { Redis } from "ioredis";

/** A way in which the event behind an id may come to a tenant. */
export type Ability = "lookups" | "webhooks";

/** What the processes of an installation said of a tenant; absent where none has said anything. */
export type Abilities = { readonly [ability in Ability]?: boolean } & {
  /** Bytes that may wait for the archive; absent where there is none. */
  readonly maxArchiveBytes?: number;
};

/** Says whether a tenant can look events up (a worker's to say), or takes webhooks (an ingress's). The last word stands. */
export async function tellAbility(
  redis: Redis,
  prefix: string,
  tenant: string,
  ability: Ability,
  isThere: boolean,
): Promise<void> {
  await redis.hset(metaKey(prefix), `${ability}:${tenant}`, isThere ? "1" : "0");
}

/** Says whether a tenant has an archive, and how many bytes may wait for it. A worker's to say; the last word stands. */
export async function tellArchive(
  redis: Redis,
  prefix: string,
  tenant: string,
  maxBytes: number | undefined,
): Promise<void> {
  await redis.hset(metaKey(prefix), `archive:${tenant}`, String(maxBytes ?? 0));
}

/** Reads what was said. */
export async function readAbilities(redis: Redis, prefix: string | undefined, tenant: string): Promise<Abilities> {
  const names = [`lookups:${tenant}`, `webhooks:${tenant}`, `archive:${tenant}`];
  const [lookups, webhooks, archive] = await redis.hmget(metaKey(prefix), ...names);
  const maxArchiveBytes = Number(archive ?? 0);
  return {
    ...(typeof lookups === "string" ? { lookups: lookups === "1" } : {}),
    ...(typeof webhooks === "string" ? { webhooks: webhooks === "1" } : {}),
    ...(maxArchiveBytes > 0 ? { maxArchiveBytes } : {}),
  };
}
