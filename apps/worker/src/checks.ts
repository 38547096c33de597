import { type Checks, type Context, type Event, type Kind, parseAddress } from "@assay/protocol";
import type { Settings } from "@assay/rules";

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
  const { event, context, settings } = presented;
  const isBrowser = event.sdk?.platform === "js";
  const checks: Checks = { event_age_seconds: eventAgeMs(presented) / 1000 };
  const judge = (name: Exclude<keyof Checks, "event_age_seconds" | "use_count">, result: boolean | undefined) => {
    if (result !== undefined) checks[name] = result;
  };
  judge("stale", isPresented(presented.kind) ? eventAgeMs(presented) > presented.maxEventAgeMs : undefined);
  judge("ip_mismatch", context.ip === undefined ? undefined : ipMismatch(context.ip, event));
  judge("linked_id_mismatch", differ(context.linked_id, event.linked_id));
  judge("visitor_id_mismatch", differ(context.visitor_id, event.identification?.visitor_id));
  if (isBrowser) {
    const origin = originOf(event.url);
    judge("origin_mismatch", differ(originOf(context.origin), origin));
    judge("user_agent_mismatch", differ(context.user_agent, event.user_agent));
    judge("origin_not_allowed", notAllowed(origin, settings.allowedOrigins));
  }
  judge("app_not_allowed", notAllowed(event.bundle_id ?? event.package_name, settings.allowedApps));
  judge("environment_not_allowed", notAllowed(event.environment_id, settings.allowedEnvironments));
  judge("event_id_mismatch", differ(presented.claimedEventId, event.event_id));
  judge("partial", isPartial(event.incremental_identification_status));
  return checks;
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

function ipMismatch(given: string, event: Event): boolean | undefined {
  const caller = parseAddress(given);
  if (caller === undefined) return undefined;
  const comparable = [event.ip_address, event.ip_info?.v4?.address, event.ip_info?.v6?.address]
    .map((text) => (text === undefined ? undefined : parseAddress(text)))
    .filter((address) => address?.family === caller.family);
  if (comparable.length === 0) return undefined;
  return !comparable.some((address) => address?.network === caller.network);
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

/** Scheme, host and port of a URL; undefined for what is none (the vendor's URLs are not always clean). */
export function originOf(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const { origin } = new URL(url);
  return origin === "null" ? undefined : origin;
}
