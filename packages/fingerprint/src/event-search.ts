import { isRecord, MAX_EVENT_BYTES } from "@assay/protocol";
import {
  createServerApi,
  type Failure,
  type RefusalCode,
  refusalCodeOf,
  type ServerApiOptions,
  type UnavailableReason,
  unavailableReasonOf,
} from "./server-api.ts";

/** Searches Fingerprint's events of devices with one secret key. It knows no rate limit and no retry. */
export interface EventSearch {
  /** First 8 hex characters of the API key's SHA-256. */
  readonly keyId: string;
  /** One page, oldest events first. Rejects only when `signal` is aborted, with the abort's reason. */
  search(query: SearchQuery, options?: { readonly signal?: AbortSignal }): Promise<SearchOutcome>;
}

/** Which events. Whether the vendor takes the two times for inside or outside is not said: ask for a little more. */
export interface SearchQuery {
  /** Unix ms. */
  readonly start: number;
  /** Unix ms. */
  readonly end: number;
  /** From the page before, of the same times. */
  readonly paginationKey?: string | undefined;
}

/** How a search ended. Throttled and unavailable may succeed later. */
export type SearchOutcome =
  | {
      readonly status: "page";
      /** As they came. */
      readonly events: readonly unknown[];
      /** Asks for the next page; absent on the last one. */
      readonly paginationKey?: string;
    }
  /** `search`: the vendor is short of searches, and the key may still be used for lookups. */
  | { readonly status: "throttled"; readonly scope: "key" | "search"; readonly retryAfterMs?: number }
  /** The vendor does not know the pagination key, or no longer. */
  | { readonly status: "page_unknown" }
  /** It took the vendor too long: ask for less time. */
  | { readonly status: "too_slow" }
  /** The vendor cannot read the query, and will not the next time. */
  | { readonly status: "rejected" }
  | { readonly status: "refused"; readonly code: RefusalCode }
  | { readonly status: "unavailable"; readonly reason: UnavailableReason };

/** Whom to ask, and how long to wait. */
export interface EventSearchOptions extends ServerApiOptions {
  /** For the whole exchange, body included (default 30000). */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** The vendor's own limit. */
const EVENTS_A_PAGE = 100;

/** Searches by one key. Throws when the API key is empty or `apiUrl` is no URL. */
export function createEventSearch({ timeoutMs = DEFAULT_TIMEOUT_MS, ...whom }: EventSearchOptions): EventSearch {
  const api = createServerApi(whom);
  return {
    keyId: api.keyId,
    async search({ start, end, paginationKey }, { signal } = {}) {
      const filter = {
        limit: EVENTS_A_PAGE,
        start,
        end,
        reverse: true,
        ...(paginationKey === undefined ? {} : { pagination_key: paginationKey }),
      };
      const bounds = { timeoutMs, maxBytes: EVENTS_A_PAGE * MAX_EVENT_BYTES, signal };
      const exchanged = await api.exchange((client) => client.searchEvents(filter), bounds);
      return exchanged.ok ? judgePage(exchanged.json) : judgeFailure(exchanged, paginationKey !== undefined);
    },
  };
}

function judgePage(json: unknown): SearchOutcome {
  if (!isRecord(json) || !Array.isArray(json["events"])) return { status: "unavailable", reason: "invalid_body" };
  const { events, pagination_key: key } = json;
  return {
    status: "page",
    events: [...events],
    ...(typeof key === "string" && key !== "" ? { paginationKey: key } : {}),
  };
}

function judgeFailure(failure: Failure, hasPaginationKey: boolean): SearchOutcome {
  const { status, body = "" } = failure;
  switch (status) {
    case 400:
      if (!/"code"\s*:\s*"request_cannot_be_parsed"/.test(body)) return { status: "unavailable", reason: "http_4xx" };
      return { status: hasPaginationKey ? "page_unknown" : "rejected" };
    case 401:
    case 403:
      return { status: "refused", code: refusalCodeOf(failure) };
    case 429:
      return {
        status: "throttled",
        // Only the words tell: the code is the same.
        scope: body.includes("too many search requests") ? "search" : "key",
        ...retryAfterOf(failure),
      };
    case 504:
      return { status: "too_slow" };
    case undefined:
    default: {
      const reason = unavailableReasonOf(failure);
      return reason === "timeout" ? { status: "too_slow" } : { status: "unavailable", reason };
    }
  }
}

function retryAfterOf({ retryAfter = "" }: Failure): { retryAfterMs?: number } {
  return /^\d{1,5}$/.test(retryAfter) ? { retryAfterMs: 1000 * Number(retryAfter) } : {};
}
