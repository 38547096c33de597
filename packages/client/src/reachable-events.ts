import { type Abilities, readAbilities } from "@assay/ledger";
import type { Redis } from "ioredis";

/** Whether the event behind an id can come to a tenant at all. */
export type EventsAreReachable = () => Promise<boolean>;

const FRESH_MS = 5000;

/**
 * Asks what the processes of the installation said of the tenant, once in five seconds. Where they said nothing yet, or
 * Redis does not answer, nothing speaks against it.
 */
export function createEventsAreReachable(options: {
  redis: Redis;
  prefix: string | undefined;
  tenant: string;
  /** On any clock, ms. */
  now: () => number;
}): EventsAreReachable {
  const { redis, prefix, tenant, now } = options;
  let read: { readonly at: number; readonly abilities: Promise<Abilities> } | undefined;
  return async () => {
    if (read === undefined || now() - read.at > FRESH_MS) {
      read = { at: now(), abilities: readAbilities(redis, prefix, tenant).catch(() => ({})) };
    }
    const { lookups, webhooks } = await read.abilities;
    return lookups !== false || webhooks === true;
  };
}
