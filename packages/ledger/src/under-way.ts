import { backfillId, type Keys, webhookId } from "@assay/protocol";
import type { Redis } from "ioredis";

/**
 * Which of these events Redis knows of: a webhook or a backfill of it was accepted, a lookup asks for it, or there are
 * verdicts on it. An event inside a seal that nobody has opened yet is not known.
 */
export async function eventsUnderWay(redis: Redis, keys: Keys, eventIds: readonly string[]): Promise<Set<string>> {
  const found = await Promise.all(
    eventIds.map((eventId) =>
      redis.exists(
        keys.record(webhookId(keys.tenant, eventId)),
        keys.record(backfillId(keys.tenant, eventId)),
        keys.eventVerdicts(eventId),
        keys.asker(eventId),
        keys.waiters(eventId),
      ),
    ),
  );
  return new Set(eventIds.filter((_, index) => (found[index] ?? 0) > 0));
}
