import { type EventField, isRecord } from "@assay/protocol";

/** Where an event was made. */
export type Platform = "browser" | "android" | "ios";

/**
 * The platform of an event in v4 shape: what its SDK says, else what its user agent proves. Undefined when neither
 * does: a phone's browser and an app's web view send the same user agent.
 */
export function platformOf(event: Record<string, unknown>): Platform | undefined {
  const sdk = event["sdk"];
  switch (isRecord(sdk) ? sdk["platform"] : undefined) {
    case "js":
      return "browser";
    case "android":
      return "android";
    case "ios":
      return "ios";
    default:
      return platformOfUserAgent(event["user_agent"]);
  }
}

function platformOfUserAgent(userAgent: unknown): Platform | undefined {
  if (typeof userAgent !== "string") return undefined;
  if (/^Dalvik\/|\bokhttp\//.test(userAgent)) return "android";
  if (/\bCFNetwork\//.test(userAgent)) return "ios";
  if (userAgent.startsWith("Mozilla/") && !/Android|iPhone|iPad|iPod/.test(userAgent)) return "browser";
  return undefined;
}

/**
 * Whether a field's value is only the default that v3 sends to platforms on which the signal does not exist: `false`
 * or 0 would be taken for an answer. Texts say so themselves (`unknown`), so they stay.
 */
export function isDefaultFor(platform: Platform | undefined, field: EventField): boolean {
  if (platform === undefined || field.platforms === undefined || field.platforms.includes(platform)) return false;
  return field.type === "boolean" || field.type === "integer";
}
