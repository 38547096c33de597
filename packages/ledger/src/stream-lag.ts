import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";

/** How far a group of consumers is behind. */
export interface StreamLag {
  readonly group: string;
  /** Verdicts in the stream that the group has not been given yet. */
  readonly lag: number;
}

/** The lag of every group on the stream of verdicts. A group whose lag Redis does not know is left out. */
export async function readStreamLag(redis: Redis, keys: Keys): Promise<StreamLag[]> {
  if ((await redis.exists(keys.verdicts())) === 0) return [];
  const groups: unknown = await redis.xinfo("GROUPS", keys.verdicts());
  if (!Array.isArray(groups)) return [];
  return groups.flatMap((fields: unknown) => {
    if (!Array.isArray(fields)) return [];
    const group: unknown = fields[fields.indexOf("name") + 1];
    const lag: unknown = fields[fields.indexOf("lag") + 1];
    return typeof group === "string" && typeof lag === "number" ? [{ group, lag }] : [];
  });
}
