import { isRecord } from "@assay/protocol";

/** Ids, and what the page or app and the connection told without any analysis. */
const KEPT = new Set([
  "event_id",
  "timestamp",
  "source",
  "incremental_identification_status",
  "linked_id",
  "environment_id",
  "suspect",
  "sdk",
  "replayed",
  "triggered_by",
  "identification",
  "supplementary_id_high_recall",
  "tags",
  "url",
  "bundle_id",
  "package_name",
  "ip_address",
  "user_agent",
  "device",
  "os",
  "os_version",
  "client_referrer",
  "browser_details",
  "proximity",
]);

/**
 * The fields of an event without its smart signals: a partially completed event sends them uncomputed. Of `ip_info`
 * the addresses stay. Unknown fields go too, as the next one may be a signal.
 */
export function withoutSignals(fields: Record<string, unknown>): Record<string, unknown> {
  const kept = Object.fromEntries(Object.entries(fields).filter(([name]) => KEPT.has(name)));
  const addresses = addressesOf(fields["ip_info"]);
  return addresses === undefined ? kept : { ...kept, ip_info: addresses };
}

function addressesOf(ipInfo: unknown): Record<string, unknown> | undefined {
  if (!isRecord(ipInfo)) return undefined;
  const families = Object.entries(ipInfo).flatMap(([family, info]) =>
    isRecord(info) && typeof info["address"] === "string" ? [[family, { address: info["address"] }]] : [],
  );
  return families.length === 0 ? undefined : Object.fromEntries(families);
}
