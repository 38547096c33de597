import { isEventId, isRecord, MAX_EVENT_BYTES } from "@assay/protocol";
import {
  createServerApi,
  type Failure,
  type RefusalCode,
  refusalCodeOf,
  type ServerApiOptions,
  type UnavailableReason,
  unavailableReasonOf,
} from "./server-api.ts";
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

/** Whom to ask, and how long to wait. */
export interface LookupsOptions extends ServerApiOptions {
  /** Id of a ruleset of the vendor's own, whose answer events then carry as `rule_action`. */
  readonly rulesetId?: string;
  /** For the whole exchange, body included (default 5000). */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 5000;

/** Lookups by one key. Throws when the API key is empty or `apiUrl` is no URL. */
export function createLookups({ rulesetId, timeoutMs = DEFAULT_TIMEOUT_MS, ...whom }: LookupsOptions): Lookups {
  const api = createServerApi(whom);
  const asking = rulesetId === undefined ? undefined : { ruleset_id: rulesetId };
  return {
    keyId: api.keyId,
    async lookup(eventId, { signal } = {}) {
      signal?.throwIfAborted();
      if (!isEventId(eventId)) return { status: "not_found" };
      const bounds = { timeoutMs, maxBytes: MAX_EVENT_BYTES, signal };
      const exchanged = await api.exchange((client) => client.getEvent(eventId, asking), bounds);
      return exchanged.ok ? judgeEvent(exchanged.json) : judgeFailure(exchanged);
    },
  };
}

// v3 says throttling and failure inside a 200, product by product.
function judgeEvent(json: unknown): LookupOutcome {
  const products = isRecord(json) && isRecord(json["products"]) ? json["products"] : {};
  const codes = signalErrorsOf(products).map(({ code }) => code);
  if (codes.some((code) => code === "TooManyRequests" || code.startsWith("429"))) return { status: "throttled" };
  if (codes.includes("Failed")) return unavailable("product_failed");
  return { status: "event", json };
}

function judgeFailure(failure: Failure): LookupOutcome {
  switch (failure.status) {
    case 400:
      if (isUnreadableId(failure)) return { status: "not_found" };
      return isUnknownRuleset(failure) ? refused("ruleset", failure) : unavailable("http_4xx");
    case 401:
    case 403:
      return refused("key", failure);
    case 404:
      return { status: "not_found" };
    case 429:
      return { status: "throttled" };
    case undefined:
    default:
      return unavailable(unavailableReasonOf(failure));
  }
}

/** A 400 on the id itself, which no repetition mends. Any other 400 may come from something in between. */
function isUnreadableId({ body = "" }: Failure): boolean {
  return /"code"\s*:\s*"(?:request_cannot_be_parsed|RequestCannotBeParsed)"/.test(body);
}

function isUnknownRuleset({ body = "" }: Failure): boolean {
  return /"code"\s*:\s*"ruleset_not_found"/.test(body);
}

function refused(setting: RefusedSetting, failure: Failure): LookupOutcome {
  return { status: "refused", setting, code: refusalCodeOf(failure) };
}

function unavailable(reason: UnavailableReason): LookupOutcome {
  return { status: "unavailable", reason };
}
