import { type Abilities, readAbilities } from "@assay/ledger";
import type { Redis } from "ioredis";

/** Whether the event behind an id can come to a tenant at all, as far as is known. Only a no waits for Redis. */
export type EventsAreReachable = () => Promise<boolean>;

const FRESH_MS = 5000;

/**
 * Reads what the processes of the installation said of the tenant, and reads it again behind a question that comes more
 * than five seconds later. Where they said nothing yet, or Redis does not answer, nothing speaks against it.
 */
export async function createEventsAreReachable(options: {
  redis: Redis;
  prefix: string | undefined;
  tenant: string;
  /** On any clock, ms. */
  now: () => number;
}): Promise<EventsAreReachable> {
  const { redis, prefix, tenant, now } = options;
  let known: Abilities = {};
  let readAt = 0;

  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    readAt = now();
    known = await readAbilities(redis, prefix, tenant).catch(() => known);
  }

  const areReachable = () => known.lookups !== false || known.webhooks === true;
  await read();
  return async () => {
    if (now() - readAt > FRESH_MS) reading = read();
    // Whoever is refused does not come again: an old word is no reason.
    if (!areReachable()) await reading;
    return areReachable();
  };
}
