import { showAgo } from "./amounts.ts";
import type { Finding } from "./finding.ts";
import type { Patient, TenantPatient } from "./patient.ts";

const DAY_MS = 86_400_000;

/** Whether webhooks are taken, and come. */
export function checkWebhooks({ tenant, sightings, abilities }: TenantPatient, { now }: Pick<Patient, "now">): Finding {
  const name = "webhooks";
  const { kind: kinds } = sightings.seen;
  const last = kinds.find((kind) => kind.name === "webhook")?.lastAt;
  const lastOther = Math.max(0, ...kinds.filter((kind) => kind.name !== "webhook").map(({ lastAt }) => lastAt));
  const came = last === undefined ? "none has come yet" : `the last one came ${showAgo(last, now)}`;
  if (!tenant.takesWebhooks && abilities.webhooks !== true && last === undefined) {
    return { name, status: "skip", says: "Neither ASSAY_WEBHOOK_SECRETS nor ASSAY_WEBHOOK_BASIC_AUTH is set" };
  }
  if (!tenant.takesWebhooks) {
    const says = `No webhook credentials are set here; ${came}`;
    return { name, status: "skip", says, do: "run this command with the environment of the ingress" };
  }
  if (tenant.webhookVerdicts === "none") {
    return {
      name,
      status: "skip",
      says: "Webhooks only bring their events (ASSAY_WEBHOOK_VERDICTS=none): none is counted",
    };
  }
  const isMissed = last === undefined || (now - last > DAY_MS && now - lastOther < DAY_MS);
  if (!isMissed) return { name, status: "ok", says: `Webhooks are taken; ${came}` };
  return {
    name,
    status: "warn",
    says: `Webhooks are taken, but ${came}`,
    do: "check in the Fingerprint dashboard that a webhook is active and points at /v1/webhooks/fingerprint of an ingress that it can reach",
  };
}

/** Whether anything could bring the event behind an id. */
export function checkEventIds({ tenant, abilities, sightings }: TenantPatient): Finding {
  const name = "event_ids";
  const canLookUp = tenant.lookups !== undefined || abilities.lookups === true;
  const takesWebhooks = tenant.takesWebhooks || abilities.webhooks === true;
  if (canLookUp) return { name, status: "ok", says: "Event ids can be looked up" };
  if (takesWebhooks) return { name, status: "ok", says: "Without an API key, event ids wait for their webhook" };
  const isSealed = tenant.sealedKeys !== undefined || sightings.seen.seal.some((seal) => seal.name.startsWith("ok/"));
  return {
    name,
    status: isSealed ? "warn" : "fail",
    says: `Event ids alone are refused (lookups_not_configured): there is no API key, and no webhook is taken${isSealed ? "; sealed results are judged" : ""}`,
    do: "set ASSAY_FINGERPRINT_API_KEYS for the workers, or ASSAY_WEBHOOK_SECRETS for the ingress; or send sealed_result",
  };
}
