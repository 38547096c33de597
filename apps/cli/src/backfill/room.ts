import type { Patience } from "./patience.ts";

/** What tells whether there is room. */
export interface RoomReadings {
  /** Used memory of Redis over its bound; undefined where there is no bound. */
  memoryRatio(): Promise<number | undefined>;
  /** Submissions that wait in the background. */
  pending(): Promise<number>;
}

/** The door lets all in again below this, and refuses webhooks from 70 % on: a backfill must not bring it there. */
const MEMORY_BELOW = 0.65;
const PENDING_BELOW = 1000;
const LOOK_AGAIN_MS = 500;

/** Waits until Redis has memory, and the background little to do. Throws what the patience throws. */
export async function waitForRoom(readings: RoomReadings, patience: Patience): Promise<void> {
  for (;;) {
    const [ratio = 0, pending] = await Promise.all([readings.memoryRatio(), readings.pending()]);
    if (ratio >= MEMORY_BELOW) await patience.wait("Redis is nearly full", LOOK_AGAIN_MS);
    else if (pending >= PENDING_BELOW) await patience.wait("Workers have much to do in the background", LOOK_AGAIN_MS);
    else return;
  }
}
