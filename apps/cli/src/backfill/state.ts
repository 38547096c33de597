import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { type Counts, NO_COUNTS } from "./counts.ts";
import type { TimeRange } from "./time-range.ts";
import { firstPlace, type Place } from "./vendor-pages.ts";

/** How far a backfill is. */
export interface BackfillState extends TimeRange {
  /** The page that comes next; absent when the range is done. */
  readonly place?: Place;
  /** Of all pages before. */
  readonly counts: Counts;
  /** Marks of the last events: the next page may give them again. No name of an event is kept. */
  readonly edge: readonly string[];
  /** Marks of events of the page that comes next, which were found missing and may have been submitted. */
  readonly inFlight: readonly string[];
}

/** Keeps states in Redis, by the words of the command line. */
export interface StateStore {
  read(): Promise<BackfillState | undefined>;
  write(state: BackfillState): Promise<void>;
  forget(): Promise<void>;
}

const KEPT_MS = 7 * 86_400_000;

/** `asked` is what the command line says of the range: the same words go on where they stopped. */
export function createStateStore(redis: Redis, keys: Keys, asked: { since: string; until?: string }): StateStore {
  const key = keys.backfill();
  // A version that keeps other states gives the field another number.
  const field = `2 ${asked.since} ${asked.until ?? "-"}`;
  return {
    async read() {
      const json = await redis.hget(key, field);
      if (json === null) return undefined;
      const state: BackfillState = JSON.parse(json);
      return state;
    },
    async write(state) {
      await redis.hset(key, field, JSON.stringify(state));
      await redis.pexpire(key, KEPT_MS);
    },
    async forget() {
      await redis.hdel(key, field);
    },
  };
}

/** A backfill that has not begun. */
export function freshState({ since, until }: TimeRange): BackfillState {
  const range = { since, until };
  return { ...range, place: firstPlace(range), counts: NO_COUNTS, edge: [], inFlight: [] };
}
