import { metaKey } from "@assay/protocol";
import type { Redis } from "ioredis";

/** A way in which the event behind an id may come to a tenant. */
export type Ability = "lookups" | "webhooks";

/** What the processes of an installation said of a tenant; absent where none has said anything. */
export type Abilities = { readonly [ability in Ability]?: boolean };

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

/** Reads what was said. */
export async function readAbilities(redis: Redis, prefix: string | undefined, tenant: string): Promise<Abilities> {
  const [lookups, webhooks] = await redis.hmget(metaKey(prefix), `lookups:${tenant}`, `webhooks:${tenant}`);
  return {
    ...(typeof lookups === "string" ? { lookups: lookups === "1" } : {}),
    ...(typeof webhooks === "string" ? { webhooks: webhooks === "1" } : {}),
  };
}
