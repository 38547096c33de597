import {
  type Address,
  type Checks,
  type Context,
  type Event,
  type Kind,
  parseAddress,
  parseOrigin,
} from "@assay/protocol";
import type { Settings } from "../ruleset/settings.ts";

/** What the checks of one submission are judged on. */
export interface Presented {
  readonly kind: Kind;
  readonly event: Event;
  readonly context: Context;
  /** As the caller claimed it. */
  readonly claimedEventId?: string;
  /** Unix ms. */
  readonly receivedAt: number;
  readonly settings: Settings;
  /** The age from which an event is stale in this flow. */
  readonly maxEventAgeMs: number;
}

/** An event whose clock is further ahead of ours than this says `clock_skew`. */
export const MAX_CLOCK_SKEW_MS = 10_000;

/**
 * Every check but the claims. True is suspicious; what cannot be judged is absent. Nobody presented a webhook or a
 * backfilled event, so those are never stale. Time is what the caller observed, so a backlog of ours makes nobody stale.
 */
export function judgeChecks(presented: Presented): Checks {
  const { event, context } = presented;
  const bySettings = judgeBySettings(presented);
  const checks: Checks = { event_age_seconds: eventAgeMs(presented) / 1000 };
  const judge = (name: Exclude<keyof Checks, "event_age_seconds" | "use_count">, result: boolean | undefined) => {
    if (result !== undefined) checks[name] = result;
  };
  judge("stale", bySettings.stale);
  judge("ip_mismatch", context.ip === undefined ? undefined : ipMismatch(context.ip, event));
  judge("linked_id_mismatch", differ(context.linked_id, event.linked_id));
  judge("visitor_id_mismatch", visitorIdMismatch(context.visitor_id, event));
  // An app's requests have no origin, and its user agent is that of whatever library sends them.
  if (isBrowserEvent(event)) {
    judge("origin_mismatch", differ(originOf(context.origin), originOf(event.url)));
    judge("user_agent_mismatch", differ(context.user_agent?.trim(), event.user_agent?.trim()));
    judge("origin_not_allowed", bySettings.origin_not_allowed);
  }
  judge("app_not_allowed", bySettings.app_not_allowed);
  judge("environment_not_allowed", bySettings.environment_not_allowed);
  judge("event_id_mismatch", differ(presented.claimedEventId, event.event_id));
  judge("partial", isPartial(event.incremental_identification_status));
  return checks;
}

/** The checks that hang on a ruleset's settings. */
export const CHECKS_BY_SETTINGS = [
  "stale",
  "origin_not_allowed",
  "app_not_allowed",
  "environment_not_allowed",
] as const;

/** These alone, as `judgeChecks` judges them; undefined is absent. */
export function judgeBySettings(
  presented: Presented,
): Record<(typeof CHECKS_BY_SETTINGS)[number], boolean | undefined> {
  const { kind, event, settings, maxEventAgeMs } = presented;
  const { allowedOrigins, allowedApps, allowedEnvironments } = settings;
  return {
    stale: isPresented(kind) ? eventAgeMs(presented) > maxEventAgeMs : undefined,
    // Most rulesets allow every origin, and reading one takes longer than all the rest.
    origin_not_allowed:
      allowedOrigins.length > 0 && isBrowserEvent(event) ? notAllowed(originOf(event.url), allowedOrigins) : undefined,
    app_not_allowed: notAllowed(appOf(event), allowedApps),
    environment_not_allowed: notAllowed(event.environment_id, allowedEnvironments),
  };
}

function isBrowserEvent(event: Event): boolean {
  return event.sdk?.platform === "js";
}

/** Whether a caller presented the event, as opposed to Fingerprint or an archive bringing it. */
export function isPresented(kind: Kind): boolean {
  return kind === "sealed" || kind === "lookup";
}

/** Whether nothing says that someone else presents the event: no mismatch, and not stale. */
export function isBound(checks: Checks): boolean {
  return ![
    checks.stale,
    checks.ip_mismatch,
    checks.linked_id_mismatch,
    checks.visitor_id_mismatch,
    checks.origin_mismatch,
    checks.user_agent_mismatch,
    checks.event_id_mismatch,
  ].includes(true);
}

function eventAgeMs({ event, context, receivedAt }: Presented): number {
  return (context.observed_at ?? receivedAt) - event.timestamp;
}

/**
 * Whether the event's address is that of a relay, such as iCloud Private Relay: then the same visitor may come with
 * another one a moment later, so only an address that is the same says anything.
 */
export function isRelayed(event: Event): boolean {
  return event.vpn_methods?.relay === true;
}

function ipMismatch(given: string, event: Event): boolean | undefined {
  const [caller] = publicAddresses([given]);
  if (caller === undefined) return undefined;
  const addresses = publicAddresses([event.ip_address, event.ip_info?.v4?.address, event.ip_info?.v6?.address]);
  const comparable = addresses.filter(({ family }) => family === caller.family);
  if (comparable.some(({ network }) => network === caller.network)) return false;
  return comparable.length === 0 || isRelayed(event) ? undefined : true;
}

function publicAddresses(texts: readonly (string | undefined)[]): Address[] {
  return texts.flatMap((text) => {
    const address = text === undefined ? undefined : parseAddress(text);
    return address === undefined || address.isPrivate ? [] : [address];
  });
}

/** A caller may know its visitors by either of the ids that Fingerprint gives a device. */
function visitorIdMismatch(given: string | undefined, event: Event): boolean | undefined {
  const isRecalled = given !== undefined && given === event.supplementary_id_high_recall?.visitor_id;
  return isRecalled ? false : differ(given, event.identification?.visitor_id);
}

/** What an app goes by on its own system; either name where the system is not known. */
function appOf({ sdk, bundle_id: bundleId, package_name: packageName }: Event): string | undefined {
  if (sdk?.platform === "ios") return bundleId;
  if (sdk?.platform === "android") return packageName;
  return sdk?.platform === "js" ? undefined : (bundleId ?? packageName);
}

function differ(a: string | undefined, b: string | undefined): boolean | undefined {
  return a === undefined || b === undefined ? undefined : a !== b;
}

function notAllowed(value: string | undefined, allowed: readonly string[]): boolean | undefined {
  return value === undefined || allowed.length === 0 ? undefined : !allowed.includes(value);
}

function isPartial(status: string | undefined): boolean | undefined {
  return status === undefined ? undefined : status === "partially_completed";
}

function originOf(url: string | undefined): string | undefined {
  return url === undefined ? undefined : parseOrigin(url);
}
