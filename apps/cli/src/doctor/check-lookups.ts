import type { SeenMinute } from "@assay/ledger";
import { showRate, showShare } from "./amounts.ts";
import type { Finding } from "./finding.ts";
import { rateOf } from "./rate.ts";
import type { LookupSettings } from "./settings.ts";

const HIGH_SHARE = 0.8;
const RELIEVE =
  "send sealed_result where you can, let Fingerprint's webhooks bring events (ASSAY_WEBHOOK_SECRETS), or agree on a higher limit with Fingerprint and set ASSAY_FINGERPRINT_RPS to it";

/** How many lookups are asked beside how many may be, and what became of event ids. */
export function checkLookups(
  { rps, apiKeys }: Pick<LookupSettings, "rps" | "apiKeys">,
  minutes: readonly SeenMinute[],
  now: number,
): Finding {
  const name = "lookups";
  const limit = rps * apiKeys.length;
  const asked = rateOf(minutes, "asked", now);
  const of = `${showRate(asked.peakPerSecond)} of ${limit}/s in the busiest of the last ten minutes`;
  const { count: decided } = rateOf(minutes, "lookup_verdicts", now);
  const saturated = rateOf(minutes, "lookup_saturated", now).count;
  const unavailable = rateOf(minutes, "lookup_unavailable", now).count;
  const throttled = rateOf(minutes, "throttled", now).count;
  if (decided === 0 && asked.count === 0)
    return { name, status: "ok", says: "No event was looked up in the last ten minutes" };
  if (throttled > 0) {
    return {
      name,
      status: "warn",
      says: `Fingerprint throttled ${showShare(throttled / Math.max(1, asked.count))} of the lookups; asked: ${of}`,
      do: `its limit is below ASSAY_FINGERPRINT_RPS=${rps}, or something else uses the keys: lower it. To need fewer, ${RELIEVE}`,
    };
  }
  if (saturated > 0) {
    const says = `${showShare(saturated / decided)} of event ids had no turn in time (lookup_saturated); asked: ${of}`;
    return { name, status: "warn", says, do: RELIEVE };
  }
  if (unavailable > 0) {
    const says = `${showShare(unavailable / decided)} of event ids got no answer of Fingerprint's (lookup_unavailable); asked: ${of}`;
    return { name, status: "warn", says, do: "look at api_keys above, and at Fingerprint's status page" };
  }
  if (asked.peakPerSecond > HIGH_SHARE * limit) {
    return { name, status: "warn", says: `Near the limit: ${of}`, do: `before it is reached, ${RELIEVE}` };
  }
  return { name, status: "ok", says: `Asked: ${of}; every event id had its turn in time` };
}
