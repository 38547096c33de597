import { holdBucket, type LookupRate, takeTurn } from "@assay/ledger";
import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";

/** The rate of an API key, which lookups share. */
export interface VendorRate {
  /** Waits for a turn of this key. Throws what Redis throws. */
  takeTurn(keyId: string): Promise<void>;
  /** The vendor throttled the key: nobody uses it for a while. */
  throttled(keyId: string): Promise<void>;
}

export interface VendorRateOptions {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly rate: LookupRate;
  /** Unix ms; goes on. */
  readonly clock: () => number;
  readonly delay: (ms: number) => Promise<unknown>;
}

const WITHIN_MS = 60_000;
/** As long as after a lookup that was throttled. */
const THROTTLED_MS = 2000;

/**
 * Stands in the line of lookups that nobody waits for, as one network among others. At most every second turn of a key is
 * taken, so that a burst of logins finds its bucket filled.
 */
export function createVendorRate({ redis, keys, rate, clock, delay }: VendorRateOptions): VendorRate {
  let notBefore = 0;
  return {
    async takeTurn(keyId) {
      await delay(Math.max(0, notBefore - clock()));
      const startedAt = clock();
      for (;;) {
        const turn = await takeTurn(redis, keys, {
          id: "backfill",
          isAwaited: false,
          network: "backfill",
          withinMs: WITHIN_MS,
          waitedMs: Math.max(0, clock() - startedAt),
          apiKeys: [{ keyId, restsForMs: 0 }],
          rate,
        });
        switch (turn.status) {
          case "turn":
            notBefore = clock() + 2000 / rate.rps;
            return;
          case "wait":
            await delay(turn.forMs);
            break;
          case "too_late":
            await delay(1000);
        }
      }
    },
    throttled: (keyId) => holdBucket(redis, keys, keyId, THROTTLED_MS),
  };
}
