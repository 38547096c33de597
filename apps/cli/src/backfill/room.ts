import { readMemoryRatio } from "@assay/ledger";
import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import type { Patience } from "./patience.ts";

/** The door lets all in again below this, and refuses webhooks from 70 % on: a backfill must not bring it there. */
const MEMORY_BELOW = 0.65;
const PENDING_BELOW = 1000;
const LOOK_AGAIN_MS = 500;

/** Waits until Redis has memory, and the lane `background` little to do. */
export async function waitForRoom(
  { redis, keys, maxBytes }: { readonly redis: Redis; readonly keys: Keys; readonly maxBytes: number },
  patience: Patience,
): Promise<void> {
  for (;;) {
    const [ratio = 0, pending] = await Promise.all([
      readMemoryRatio(redis, maxBytes),
      redis.zcard(keys.pending("background")),
    ]);
    if (ratio >= MEMORY_BELOW) await patience.wait("Redis is nearly full", LOOK_AGAIN_MS);
    else if (pending >= PENDING_BELOW) await patience.wait("Workers have much to do in the background", LOOK_AGAIN_MS);
    else return;
  }
}
