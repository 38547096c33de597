import { type Convert, snakeKeys, toMs, toRawAttributes, toSnake } from "./v3-values.ts";

/**
 * Where a field of v4 comes from in v3. `from` starts with the product: in an event `products.<product>.data`, in a
 * webhook the field of that name, or the body itself for `identification` and `botd`. Of several rows for one field
 * the first that has a value counts.
 */
export interface V3Field {
  readonly to: readonly string[];
  readonly from: readonly string[];
  readonly convert: Convert;
}

/** The whole map from v3 to v4. Fields that only v4 has are not in it. */
export const V3_FIELDS: readonly V3Field[] = [
  row("event_id", "identification.requestId"),
  row("event_id", "botd.requestId"),
  row("timestamp", "identification.timestamp"),
  row("timestamp", "botd.time", toMs),
  row("linked_id", "identification.linkedId"),
  row("linked_id", "botd.linkedId"),
  row("environment_id", "identification.environmentId"),
  row("suspect", "identification.suspect"),
  row("sdk", "identification.sdk"),
  row("replayed", "identification.replayed"),
  row("tags", "identification.tag"),
  row("url", "identification.url"),
  row("url", "botd.url"),
  row("client_referrer", "identification.clientReferrer"),
  row("ip_address", "identification.ip"),
  row("ip_address", "botd.ip"),
  row("user_agent", "identification.browserDetails.userAgent"),
  row("user_agent", "botd.userAgent"),
  ...["browserName", "browserMajorVersion", "browserFullVersion", "os", "osVersion", "device"].map((name) =>
    row(`browser_details.${toSnake(name)}`, `identification.browserDetails.${name}`),
  ),
  ...identity("identification", "identification"),
  ...identity("supplementary_id_high_recall", "supplementaryIds.highRecall"),
  row("proximity", "proximity", snakeKeys),

  row("bot", "botd.bot.result", (value) => (value === "notDetected" ? "not_detected" : value)),
  row("bot_type", "botd.bot.type"),
  row("cloned_app", "clonedApp.result"),
  row("developer_tools", "developerTools.result"),
  row("emulator", "emulator.result"),
  row("factory_reset_timestamp", "factoryReset.timestamp"),
  row("frida", "frida.result"),
  row("high_activity_device", "highActivity.result"),
  row("incognito", "incognito.result"),
  row("jailbroken", "jailbroken.result"),
  row("labels", "labels", snakeKeys),
  row("location_spoofing", "locationSpoofing.result"),
  row("mitm_attack", "mitmAttack.result"),
  row("privacy_settings", "privacySettings.result"),
  row("rare_device", "rareDevice.result"),
  row("rare_device_percentile_bucket", "rareDevice.percentileBucket"),
  row("raw_device_attributes", "rawDeviceAttributes", toRawAttributes),
  row("root_apps", "rootApps.result"),
  row("suspect_score", "suspectScore.result"),
  row("virtual_machine", "virtualMachine.result"),
  row("virtual_machine_ml_score", "virtualMachine.mlScore"),

  row("ip_blocklist.email_spam", "ipBlocklist.details.emailSpam"),
  row("ip_blocklist.attack_source", "ipBlocklist.details.attackSource"),
  row("ip_blocklist.tor_node", "tor.result"),
  ...ipInfo("v4"),
  ...ipInfo("v6"),

  row("proxy", "proxy.result"),
  row("proxy_confidence", "proxy.confidence"),
  row("proxy_ml_score", "proxy.mlScore"),
  row("proxy_details.proxy_type", "proxy.details.proxyType"),
  row("proxy_details.last_seen_at", "proxy.details.lastSeenAt", toMs),

  row("tampering", "tampering.result"),
  row("tampering_confidence", "tampering.confidence"),
  row("tampering_ml_score", "tampering.mlScore"),
  row("tampering_details.anomaly_score", "tampering.anomalyScore"),
  row("tampering_details.anti_detect_browser", "tampering.antiDetectBrowser"),

  row("vpn", "vpn.result"),
  row("vpn_confidence", "vpn.confidence"),
  row("vpn_ml_score", "vpn.mlScore"),
  row("vpn_origin_timezone", "vpn.originTimezone"),
  row("vpn_origin_country", "vpn.originCountry"),
  row("vpn_methods.timezone_mismatch", "vpn.methods.timezoneMismatch"),
  row("vpn_methods.public_vpn", "vpn.methods.publicVPN"),
  row("vpn_methods.auxiliary_mobile", "vpn.methods.auxiliaryMobile"),
  row("vpn_methods.os_mismatch", "vpn.methods.osMismatch"),
  row("vpn_methods.relay", "vpn.methods.relay"),
  row("vpn_methods.ml_prediction", "vpn.methods.mlPrediction"),

  ...[
    "distinctIp",
    "distinctLinkedId",
    "distinctCountry",
    "events",
    "ipEvents",
    "distinctIpByLinkedId",
    "distinctVisitorIdByLinkedId",
  ].flatMap(velocity),
];

function row(to: string, from: string, convert: Convert = (value) => value): V3Field {
  return { to: to.split("."), from: from.split("."), convert };
}

function identity(to: string, from: string): V3Field[] {
  return [
    row(`${to}.visitor_id`, `${from}.visitorId`),
    row(`${to}.visitor_found`, `${from}.visitorFound`),
    row(`${to}.confidence.score`, `${from}.confidence.score`),
    row(`${to}.confidence.version`, `${from}.confidence.revision`),
    row(`${to}.confidence.comment`, `${from}.confidence.comment`),
    row(`${to}.first_seen_at`, `${from}.firstSeenAt.subscription`, toMs),
    row(`${to}.last_seen_at`, `${from}.lastSeenAt.subscription`, toMs),
  ];
}

function ipInfo(family: "v4" | "v6"): V3Field[] {
  const inside = (to: string, from: string, convert?: Convert) =>
    row(`ip_info.${family}.${to}`, `ipInfo.${family}.${from}`, convert);
  return [
    inside("address", "address"),
    inside("geolocation.accuracy_radius", "geolocation.accuracyRadius"),
    inside("geolocation.latitude", "geolocation.latitude"),
    inside("geolocation.longitude", "geolocation.longitude"),
    inside("geolocation.postal_code", "geolocation.postalCode"),
    inside("geolocation.timezone", "geolocation.timezone"),
    inside("geolocation.city_name", "geolocation.city.name"),
    inside("geolocation.country_code", "geolocation.country.code"),
    inside("geolocation.country_name", "geolocation.country.name"),
    inside("geolocation.continent_code", "geolocation.continent.code"),
    inside("geolocation.continent_name", "geolocation.continent.name"),
    inside("geolocation.subdivisions", "geolocation.subdivisions", snakeKeys),
    inside("asn", "asn.asn"),
    inside("asn_name", "asn.name"),
    inside("asn_network", "asn.network"),
    inside("asn_type", "asn.type"),
    inside("datacenter_result", "datacenter.result"),
    inside("datacenter_name", "datacenter.name"),
  ];
}

function velocity(name: string): V3Field[] {
  const to = `velocity.${toSnake(name)}`;
  const from = `velocity.${name}.intervals`;
  return [
    row(`${to}.5_minutes`, `${from}.5m`),
    row(`${to}.1_hour`, `${from}.1h`),
    row(`${to}.24_hours`, `${from}.24h`),
  ];
}
