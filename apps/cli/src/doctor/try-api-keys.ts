import { createLookups } from "@assay/fingerprint";
import { takeTurn } from "@assay/ledger";
import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { checkApiKeys, type KeyTrial } from "./check-api-keys.ts";
import type { Finding } from "./finding.ts";
import type { Practice } from "./practice.ts";
import type { LookupSettings } from "./settings.ts";

/** Where the rate of lookups is shared. */
interface Shared {
  readonly redis: Redis;
  readonly keys: Keys;
}

/** Tries each API key by one lookup, taken from those that all workers share; without Redis from nowhere. */
export async function tryApiKeys(
  lookups: LookupSettings | undefined,
  shared: Shared | undefined,
  { options, clock }: Practice,
): Promise<Finding[]> {
  const name = "api_keys";
  if (lookups === undefined) return [{ name, status: "skip", says: "ASSAY_FINGERPRINT_API_KEYS is not set here" }];
  if (!options.lookup) return [{ name, status: "skip", says: "Not tried, because of --no-lookup" }];
  return await checkApiKeys(lookups, createTrial(lookups, shared, clock));
}

function createTrial(settings: LookupSettings, shared: Shared | undefined, clock: () => number): KeyTrial {
  const { apiUrl, rulesetId, rps, burst } = settings;
  return {
    async takeTurn(keyId) {
      if (shared === undefined) return true;
      const { status } = await takeTurn(shared.redis, shared.keys, {
        id: `doctor-${keyId}`,
        isAwaited: true,
        network: "doctor",
        withinMs: 0,
        apiKeys: [{ keyId, restsForMs: 0 }],
        rate: { rps, burst },
      });
      return status === "turn";
    },
    async lookUp(apiKey, region) {
      const lookups = createLookups({
        apiKey,
        region,
        ...(apiUrl === undefined ? {} : { apiUrl }),
        ...(rulesetId === undefined ? {} : { rulesetId }),
      });
      return await lookups.lookup(`${Math.round(clock())}.doctor`);
    },
  };
}
