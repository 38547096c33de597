import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { fieldsOf } from "./stream-replies.ts";

/** How far a group of consumers is behind. */
export interface StreamLag {
  readonly group: string;
  /** Verdicts in the stream that the group has not been given yet. */
  readonly lag: number;
}

/**
 * Groups for which something waits that only the archive has, and of which no consumer has one at this moment. Throws what
 * Redis throws.
 */
export async function readLeftGroups(redis: Redis, keys: Keys): Promise<string[]> {
  const names = (await readGroups(redis, keys)).flatMap((fields) => fields.get("name") ?? []).map(String);
  const isLeft = await Promise.all(
    names.map(async (group) => {
      const waiting = await redis.exists(keys.gaps(group), keys.goneEntries(group));
      return waiting > 0 && (await redis.exists(keys.groupArchive(group))) === 0;
    }),
  );
  return names.filter((_, at) => isLeft[at]);
}

/** The lag of every group on the stream of verdicts. A group whose lag Redis does not know is left out. */
export async function readStreamLag(redis: Redis, keys: Keys): Promise<StreamLag[]> {
  return (await readGroups(redis, keys)).flatMap((fields) => {
    const [group, lag] = [fields.get("name"), fields.get("lag")];
    return typeof group === "string" && typeof lag === "number" ? [{ group, lag }] : [];
  });
}

async function readGroups(redis: Redis, keys: Keys): Promise<ReadonlyMap<unknown, unknown>[]> {
  if ((await redis.exists(keys.verdicts())) === 0) return [];
  const groups: unknown = await redis.xinfo("GROUPS", keys.verdicts());
  return Array.isArray(groups) ? groups.map(fieldsOf) : [];
}
