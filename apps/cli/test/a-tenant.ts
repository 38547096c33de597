import type { Abilities, SeenMinute, Sightings } from "@assay/ledger";
import { createKeys } from "@assay/protocol";
import type { TenantPatient } from "../src/doctor/patient.ts";
import type { TenantSettings } from "../src/doctor/settings.ts";

/** The default tenant of an installation where nothing was configured or seen but this. */
export function aTenant(
  changes: {
    tenant?: Partial<TenantSettings>;
    seen?: Partial<Sightings["seen"]>;
    minutes?: readonly SeenMinute[];
    abilities?: Abilities;
  } = {},
): TenantPatient {
  const none = { origin: [], app: [], environment: [], platform: [], signal: [], seal: [], kind: [], lookup: [] };
  return {
    tenant: { name: "0", takesWebhooks: false, webhookVerdicts: "all", ...changes.tenant },
    keys: createKeys(),
    sightings: { seen: { ...none, ...changes.seen }, minutes: changes.minutes ?? [] },
    abilities: changes.abilities ?? {},
    rulesets: undefined,
  };
}
