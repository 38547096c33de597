import { backfillId, type Keys, webhookId } from "@assay/protocol";
import type { Redis } from "ioredis";

/**
 * Which of these events Redis knows of: a webhook or a backfill of it was accepted, a lookup asks for it, or a verdict
 * was made from it. An event inside a seal that nobody has opened yet is not known, nor is one of which there is only the
 * id: a lookup that failed, or a seal that was shut.
 */
export async function eventsUnderWay(redis: Redis, keys: Keys, eventIds: readonly string[]): Promise<Set<string>> {
  const found = await Promise.all(
    eventIds.map(async (eventId) => {
      const [there, ids] = await Promise.all([
        redis.exists(
          keys.record(webhookId(keys.tenant, eventId)),
          keys.record(backfillId(keys.tenant, eventId)),
          keys.asker(eventId),
          keys.waiters(eventId),
        ),
        redis.lrange(keys.eventVerdicts(eventId), 0, -1),
      ]);
      if (there > 0) return true;
      // What a verdict was made from ends with why it is undecided.
      const madeFrom = await Promise.all(ids.map((id) => redis.hget(keys.record(id), "vi")));
      return madeFrom.some((one) => one?.endsWith("|") === true);
    }),
  );
  return new Set(eventIds.filter((_, index) => found[index] === true));
}
