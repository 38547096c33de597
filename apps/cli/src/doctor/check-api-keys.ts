import type { LookupOutcome, RefusalCode } from "@assay/fingerprint";
import { secretFingerprint } from "@assay/protocol";
import type { Finding } from "./finding.ts";
import { type LookupSettings, type Region, REGIONS } from "./settings.ts";

/** How API keys are tried. */
export interface KeyTrial {
  /** Takes one of the lookups that Fingerprint allows the key; false where none is free. */
  takeTurn(keyId: string): Promise<boolean>;
  /** Asks for an event that does not exist. */
  lookUp(apiKey: string, region: Region): Promise<LookupOutcome>;
}

const NAME = "api_keys";

/** Asks Fingerprint once by each key: that it does not know a made-up event shows that the key works. */
export async function checkApiKeys(settings: LookupSettings, trial: KeyTrial): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const apiKey of settings.apiKeys) findings.push(await checkApiKey(apiKey, settings, trial));
  return findings;
}

async function checkApiKey(apiKey: string, settings: LookupSettings, trial: KeyTrial): Promise<Finding> {
  const { region, apiUrl, rulesetId } = settings;
  const keyId = secretFingerprint(apiKey);
  const key = `API key ${keyId}`;
  if (!(await trial.takeTurn(keyId))) {
    const says = `${key} was not tried: no lookup is left of its rate at this moment`;
    return { name: NAME, status: "skip", says, do: "try again" };
  }
  const outcome = await trial.lookUp(apiKey, region);
  switch (outcome.status) {
    case "not_found":
    case "event":
      return { name: NAME, status: "ok", says: `${key} works in the region ${region}; trying it took one lookup` };
    case "throttled":
      return {
        name: NAME,
        status: "warn",
        says: `Fingerprint throttles ${key}`,
        do: `ask Fingerprint for its limit and set ASSAY_FINGERPRINT_RPS to it (now ${settings.rps}); something else may use the same key`,
      };
    case "unavailable": {
      const says = `Fingerprint did not answer ${key} (${outcome.reason})`;
      const where = apiUrl === undefined ? "Fingerprint's API" : "ASSAY_FINGERPRINT_API_URL";
      return {
        name: NAME,
        status: "fail",
        says,
        do: `let this machine and the workers reach ${where} by HTTPS, or wait`,
      };
    }
    case "refused": {
      if (outcome.setting === "ruleset") {
        const says = `Fingerprint does not know the ruleset ${rulesetId ?? ""}, and answers nothing by it`;
        return { name: NAME, status: "fail", says, do: "correct ASSAY_FINGERPRINT_RULESET_ID, or remove it" };
      }
      if (outcome.code === "wrong_region") return await otherRegion(key, apiKey, settings, trial);
      return {
        name: NAME,
        status: "fail",
        says: `Fingerprint refuses ${key}: ${outcome.code}`,
        do: REMEDIES[outcome.code],
      };
    }
  }
}

/** Finds the region of a key by asking the others. A host of the operator's own is asked alone. */
async function otherRegion(key: string, apiKey: string, settings: LookupSettings, trial: KeyTrial): Promise<Finding> {
  const { region, apiUrl } = settings;
  const says = `${key} belongs to another region than ${region}`;
  for (const other of apiUrl === undefined ? REGIONS.filter((one) => one !== region) : []) {
    const { status } = await trial.lookUp(apiKey, other);
    if (status !== "not_found" && status !== "event") continue;
    return {
      name: NAME,
      status: "fail",
      says: `${says}: it is one of ${other}`,
      do: `set ASSAY_FINGERPRINT_REGION=${other}`,
    };
  }
  return { name: NAME, status: "fail", says, do: REMEDIES.wrong_region };
}

const COPY = "copy a secret key of the Server API from the Fingerprint dashboard into ASSAY_FINGERPRINT_API_KEYS";

const REMEDIES: Readonly<Record<RefusalCode, string>> = {
  wrong_region: `set ASSAY_FINGERPRINT_REGION to the region of the workspace: ${REGIONS.join(", ")}`,
  secret_api_key_not_found: `${COPY}; a public key does not do, and a deleted one neither`,
  secret_api_key_required: COPY,
  subscription_not_active: "renew the subscription of this workspace at Fingerprint",
  feature_not_enabled: "ask Fingerprint to enable the Server API for this workspace",
  ruleset_not_found: "correct ASSAY_FINGERPRINT_RULESET_ID, or remove it",
  other: `look at what stands between here and Fingerprint, or ${COPY}`,
};
