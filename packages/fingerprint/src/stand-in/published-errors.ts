/** Errors of `GET /v4/events` and `GET /v4/events/{event_id}` by the vendor's code: its status, and the message that it publishes. */
const ERRORS = {
  request_cannot_be_parsed: { status: 400, message: "invalid event_id" },
  ruleset_not_found: { status: 400, message: "ruleset not found" },
  secret_api_key_required: { status: 403, message: "secret API key in header is missing or empty" },
  secret_api_key_not_found: { status: 403, message: "no fingerprint workspace found for specified secret API key" },
  subscription_not_active: { status: 403, message: "forbidden" },
  wrong_region: { status: 403, message: "wrong region" },
  feature_not_enabled: { status: 403, message: "feature not enabled" },
  event_not_found: { status: 404, message: "event id not found" },
  too_many_requests: { status: 429, message: "too many requests" },
  failed: { status: 500, message: "internal server error" },
  service_unavailable: { status: 503, message: "service temporarily unavailable" },
} as const;

export type PublishedErrorCode = keyof typeof ERRORS;

/** What an error is on the wire: a status, and JSON. */
export function publishedError(
  code: PublishedErrorCode,
  message: string = ERRORS[code].message,
): { readonly status: number; readonly body: unknown } {
  return { status: ERRORS[code].status, body: { error: { code, message } } };
}
