import { secretFingerprint } from "@assay/protocol";
import { FingerprintServerApiClient, Region } from "@fingerprint/node-sdk";
import { BodyTooLargeError, readBody } from "./bounded-body.ts";
import { startDeadline } from "./deadline.ts";

/** Whom to ask, and how. */
export interface ServerApiOptions {
  /** Secret key of the Server API. */
  readonly apiKey: string;
  readonly region: "us" | "eu" | "ap";
  /** Takes the place of the region's host, `https://api.fpjs.io` and its like; a path in it comes before the API's. */
  readonly apiUrl?: string;
  /** Must honour the signal it is given (default: Node's own). */
  readonly fetch?: typeof fetch;
}

/** Bounds of one exchange, body included. */
interface ExchangeOptions {
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/** Asks Fingerprint's Server API with one secret key. It knows no rate limit and no retry. */
export interface ServerApi {
  /** First 8 hex characters of the API key's SHA-256: names it in metrics. */
  readonly keyId: string;
  /** What came of one call. Rejects only when `signal` is aborted, with the abort's reason. */
  exchange(
    call: (client: FingerprintServerApiClient) => Promise<unknown>,
    options: ExchangeOptions,
  ): Promise<{ readonly ok: true; readonly json: unknown } | ({ readonly ok: false } & Failure)>;
}

/** What has come of the vendor's answer where there is no good one. */
export interface Failure {
  /** Absent where there was no answer at all. */
  readonly status?: number;
  readonly body?: string;
  /** The header as it came. */
  readonly retryAfter?: string;
  readonly error: unknown;
  readonly isTimedOut: boolean;
}

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

const REGIONS = { us: Region.Global, eu: Region.EU, ap: Region.AP } as const;

/**
 * The vendor's SDK over a fetch that has a deadline and a bounded body, which the SDK lacks.
 * Throws when the API key is empty or `apiUrl` is no URL.
 */
export function createServerApi({ apiKey, region, apiUrl, fetch: send = fetch }: ServerApiOptions): ServerApi {
  if (apiKey === "") throw new Error("The Fingerprint API key is empty. Set the secret key of your workspace.");
  const base = apiUrl === undefined ? undefined : new URL(apiUrl);
  return {
    keyId: secretFingerprint(apiKey),
    async exchange(call, { timeoutMs, maxBytes, signal }) {
      signal?.throwIfAborted();
      const deadline = startDeadline(timeoutMs, signal);
      const answer: { status?: number; body?: string; retryAfter?: string } = {};
      // One client an exchange: its fetch has no other way to know the exchange's signal.
      const client = new FingerprintServerApiClient({
        apiKey,
        region: REGIONS[region],
        fetch: async (url, init) => {
          // A redirect would carry the key to a host nobody configured.
          const response = await send(rebase(url, base), { ...init, redirect: "manual", signal: deadline.signal });
          answer.status = response.status;
          const retryAfter = response.headers.get("retry-after");
          if (retryAfter !== null) answer.retryAfter = retryAfter;
          answer.body = await readBody(response, maxBytes);
          return new Response(answer.body, { status: response.status, headers: contentTypeOf(response) });
        },
      });
      try {
        return { ok: true, json: await call(client) };
      } catch (error) {
        signal?.throwIfAborted();
        return { ok: false, ...answer, error, isTimedOut: deadline.signal.aborted };
      } finally {
        deadline.stop();
      }
    },
  };
}

/** Why a failure says nothing to go by. Judged by the HTTP status: the SDK's errors depend on how a proxy words its body. */
export function unavailableReasonOf({ status, body, error, isTimedOut }: Failure): UnavailableReason {
  if (status === undefined) return isTimedOut ? "timeout" : "network";
  if (status < 200 || status >= 300) return faultOfStatus(status);
  if (body !== undefined) return "invalid_body";
  if (isTimedOut) return "timeout";
  return error instanceof Error && error.cause instanceof BodyTooLargeError ? "body_too_large" : "network";
}

/** The code by which the vendor refuses. */
export function refusalCodeOf({ body = "" }: Pick<Failure, "body">): RefusalCode {
  return REFUSAL_CODES.find((known) => body.includes(`"${known}"`)) ?? "other";
}

function faultOfStatus(status: number): UnavailableReason {
  if (status >= 300 && status < 400) return "http_3xx";
  if (status >= 400 && status < 500) return "http_4xx";
  return status >= 500 && status < 600 ? "http_5xx" : "http_other";
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
