import { createLookups, type Lookups } from "@assay/fingerprint";
import type { LookupsConfig } from "./config.ts";

/** Lookups by whichever of a tenant's API keys has room. */
export interface LookupKeys extends Pick<Lookups, "lookup"> {
  /** Takes one lookup from the first key that has one: 0, or the ms until the first of them has. */
  take(signal: AbortSignal): Promise<number>;
}

/** The vendor limits each key by itself, so each has a bucket. `takeFrom` takes one lookup from a key's bucket. */
export function createLookupKeys(
  config: LookupsConfig,
  takeFrom: (keyId: string, signal: AbortSignal) => Promise<number>,
): LookupKeys {
  const { apiKeys, ...rest } = config;
  const all = apiKeys.map((apiKey) => createLookups({ ...rest, apiKey }));
  // One for each lookup that was taken and not made yet; which is made by which makes no difference.
  const taken: Lookups[] = [];
  return {
    async take(signal) {
      let waitMs = Number.POSITIVE_INFINITY;
      for (const key of all) {
        const emptyForMs = await takeFrom(key.keyId, signal);
        if (emptyForMs === 0) {
          taken.push(key);
          return 0;
        }
        waitMs = Math.min(waitMs, emptyForMs);
      }
      return waitMs;
    },
    async lookup(eventId, options) {
      const key = taken.shift();
      if (key === undefined) throw new TypeError("A lookup was made that was not taken.");
      return await key.lookup(eventId, options);
    },
  };
}
