import { isEventId, isRecord, MAX_EVENT_BYTES, secretFingerprint } from "@assay/protocol";
import { FingerprintServerApiClient, Region } from "@fingerprint/node-sdk";
import { BodyTooLargeError, readBody } from "./bounded-body.ts";
import { startDeadline } from "./deadline.ts";
import { signalErrorsOf } from "./v3-event.ts";

/** Asks Fingerprint's Server API for events with one secret key. It knows no rate limit and no retry. */
export interface Lookups {
  /** First 8 hex characters of the API key's SHA-256: names it in metrics. */
  readonly keyId: string;
  /** Resolves in every case but one: when `signal` is aborted it rejects at once with the abort's reason. */
  lookup(eventId: string, options?: { signal?: AbortSignal }): Promise<LookupOutcome>;
}

/** How a lookup ended. Throttled and unavailable may succeed later; refused needs another setting. */
export type LookupOutcome =
  | { readonly status: "event"; readonly json: unknown }
  | { readonly status: "not_found" }
  | { readonly status: "throttled" }
  | { readonly status: "refused"; readonly setting: RefusedSetting; readonly code: RefusalCode }
  | { readonly status: "unavailable"; readonly reason: UnavailableReason };

/** What the vendor refuses: the API key, which may belong to another region, or the id of its own ruleset. */
export type RefusedSetting = "key" | "ruleset";

/** The vendor's own word for why it refuses, in the spelling of v4; `other` for one that is not known here. */
export type RefusalCode = (typeof REFUSAL_CODES)[number] | "other";

const REFUSAL_CODES = [
  "wrong_region",
  "secret_api_key_not_found",
  "secret_api_key_required",
  "subscription_not_active",
  "feature_not_enabled",
  "ruleset_not_found",
] as const;

/** Why there is no answer to go by. Closed list; `product_failed` is v3's failure inside a 200. */
export type UnavailableReason =
  | "timeout"
  | "network"
  | "body_too_large"
  | "invalid_body"
  | "product_failed"
  | "http_3xx"
  | "http_4xx"
  | "http_5xx"
  | "http_other";

/** Whom to ask, and how long to wait. */
export interface LookupsOptions {
  /** Secret key of the Server API. */
  readonly apiKey: string;
  readonly region: "us" | "eu" | "ap";
  /** Takes the place of the region's host, `https://api.fpjs.io` and its like; a path in it comes before the API's. */
  readonly apiUrl?: string;
  /** Id of a ruleset of the vendor's own, whose answer events then carry as `rule_action`. */
  readonly rulesetId?: string;
  /** For the whole exchange, body included (default 5000). */
  readonly timeoutMs?: number;
  /** Must honour the signal it is given (default: Node's own). */
  readonly fetch?: typeof fetch;
}

const DEFAULT_TIMEOUT_MS = 5000;
const REGIONS = { us: Region.Global, eu: Region.EU, ap: Region.AP } as const;

/**
 * Lookups by the vendor's SDK over a fetch that has a deadline and a bounded body, which the SDK lacks.
 * Throws when the API key is empty or `apiUrl` is no URL.
 */
export function createLookups(options: LookupsOptions): Lookups {
  const { apiKey, region, rulesetId, timeoutMs = DEFAULT_TIMEOUT_MS, fetch: send = fetch } = options;
  if (apiKey === "") throw new Error("The Fingerprint API key is empty. Set the secret key of your workspace.");
  const asking = rulesetId === undefined ? undefined : { ruleset_id: rulesetId };
  const base = options.apiUrl === undefined ? undefined : new URL(options.apiUrl);
  return {
    keyId: secretFingerprint(apiKey),
    async lookup(eventId, { signal } = {}) {
      signal?.throwIfAborted();
      if (!isEventId(eventId)) return { status: "not_found" };
      const deadline = startDeadline(timeoutMs, signal);
      const answer: Answer = {};
      // One client a lookup: its fetch has no other way to know the lookup's signal.
      const client = new FingerprintServerApiClient({
        apiKey,
        region: REGIONS[region],
        fetch: async (url, init) => {
          // A redirect would carry the key to a host nobody configured.
          const response = await send(rebase(url, base), { ...init, redirect: "manual", signal: deadline.signal });
          answer.status = response.status;
          answer.body = await readBody(response, MAX_EVENT_BYTES);
          return new Response(answer.body, { status: response.status, headers: contentTypeOf(response) });
        },
      });
      try {
        return judgeEvent(await client.getEvent(eventId, asking));
      } catch (error) {
        signal?.throwIfAborted();
        return judgeFailure(answer, error, deadline.signal.aborted);
      } finally {
        deadline.stop();
      }
    },
  };
}

/** What has come of the vendor's answer so far. */
interface Answer {
  status?: number;
  body?: string;
}

function rebase(url: string | URL | Request, base: URL | undefined): URL {
  const asked = new URL(url instanceof Request ? url.url : url);
  if (base === undefined) return asked;
  const rebased = new URL(base);
  rebased.pathname = base.pathname.replace(/\/$/, "") + asked.pathname;
  rebased.search = asked.search;
  return rebased;
}

// Length and encoding were those of the bytes on the wire.
function contentTypeOf(response: Response): Record<string, string> {
  const contentType = response.headers.get("content-type");
  return contentType === null ? {} : { "content-type": contentType };
}

// v3 says throttling and failure inside a 200, product by product.
function judgeEvent(json: unknown): LookupOutcome {
  const products = isRecord(json) && isRecord(json["products"]) ? json["products"] : {};
  const codes = signalErrorsOf(products).map(({ code }) => code);
  if (codes.some((code) => code === "TooManyRequests" || code.startsWith("429"))) return { status: "throttled" };
  if (codes.includes("Failed")) return unavailable("product_failed");
  return { status: "event", json };
}

// Judged by the HTTP status: the SDK's error classes depend on how a proxy words its body.
function judgeFailure({ status, body }: Answer, error: unknown, isTimedOut: boolean): LookupOutcome {
  switch (status) {
    case undefined:
      return unavailable(isTimedOut ? "timeout" : "network");
    case 400:
      if (isUnreadableId(body)) return { status: "not_found" };
      return isUnknownRuleset(body) ? refused("ruleset", body) : unavailable("http_4xx");
    case 401:
    case 403:
      return refused("key", body);
    case 404:
      return { status: "not_found" };
    case 429:
      return { status: "throttled" };
    default:
      if (status >= 200 && status < 300) return unavailable(faultOfBody(body, error, isTimedOut));
      return unavailable(faultOfStatus(status));
  }
}

/** A 400 on the id itself, which no repetition mends. Any other 400 may come from something in between. */
function isUnreadableId(body: string | undefined): boolean {
  return /"code"\s*:\s*"(?:request_cannot_be_parsed|RequestCannotBeParsed)"/.test(body ?? "");
}

function refused(setting: RefusedSetting, body = ""): LookupOutcome {
  const code = REFUSAL_CODES.find((known) => body.includes(`"${known}"`)) ?? "other";
  return { status: "refused", setting, code };
}

function isUnknownRuleset(body: string | undefined): boolean {
  return /"code"\s*:\s*"ruleset_not_found"/.test(body ?? "");
}

function faultOfBody(body: string | undefined, error: unknown, isTimedOut: boolean): UnavailableReason {
  if (body !== undefined) return "invalid_body";
  if (isTimedOut) return "timeout";
  return error instanceof Error && error.cause instanceof BodyTooLargeError ? "body_too_large" : "network";
}

function faultOfStatus(status: number): UnavailableReason {
  if (status >= 300 && status < 400) return "http_3xx";
  if (status >= 400 && status < 500) return "http_4xx";
  return status >= 500 && status < 600 ? "http_5xx" : "http_other";
}

function unavailable(reason: UnavailableReason): LookupOutcome {
  return { status: "unavailable", reason };
}
