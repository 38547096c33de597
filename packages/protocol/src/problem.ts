/** What every code of the closed list means to a caller: HTTP status, title, whether the same request may succeed later. */
const PROBLEMS = {
  invalid_request: { status: 400, title: "The request cannot be read", retryable: false },
  invalid_json: { status: 400, title: "The body is not JSON", retryable: false },
  invalid_field: { status: 400, title: "A field is not what it must be", retryable: false },
  unknown_field: { status: 400, title: "A field is not known here", retryable: false },
  missing_field: { status: 400, title: "A field is missing", retryable: false },
  idempotency_key_missing: { status: 400, title: "The Idempotency-Key header is missing", retryable: false },
  idempotency_key_invalid: { status: 400, title: "The Idempotency-Key header is not usable", retryable: false },
  idempotency_key_is_event_id: { status: 400, title: "The Idempotency-Key is the event id", retryable: false },
  lookups_not_configured: { status: 400, title: "No event can be found by its id here", retryable: false },
  webhook_not_an_event: { status: 400, title: "The webhook body is not a Fingerprint event", retryable: false },
  unauthorized: { status: 401, title: "The credentials are missing or not known", retryable: false },
  forbidden: { status: 403, title: "This key may not do that", retryable: false },
  webhook_signature_missing: { status: 401, title: "The webhook is not signed", retryable: false },
  webhook_signature_invalid: { status: 401, title: "The webhook signature does not match", retryable: false },
  not_found: { status: 404, title: "There is nothing here", retryable: false },
  tenant_not_found: { status: 404, title: "There is no such tenant", retryable: false },
  submission_not_found: { status: 404, title: "There is no such submission", retryable: false },
  method_not_allowed: { status: 405, title: "The method is not allowed here", retryable: false },
  submission_conflict: { status: 409, title: "The Idempotency-Key was used for other content", retryable: false },
  outcome_conflict: { status: 409, title: "The Idempotency-Key was used for another outcome", retryable: false },
  verdict_expired: { status: 410, title: "The verdict is no longer kept", retryable: false },
  payload_too_large: { status: 413, title: "The body is too large", retryable: false },
  unsupported_media_type: { status: 415, title: "The body must be application/json", retryable: false },
  archive_not_configured: { status: 501, title: "There is no archive here", retryable: false },
  archive_unavailable: { status: 503, title: "The archive did not answer", retryable: true },
  webhook_auth_not_configured: { status: 503, title: "No webhook secret is configured", retryable: true },
  overloaded: { status: 503, title: "Too much is waiting", retryable: true },
  memory_shed: { status: 503, title: "Redis is nearly full", retryable: true },
  unavailable: { status: 503, title: "Redis did not answer", retryable: true },
  not_confirmed: { status: 503, title: "Acceptance was not confirmed in time", retryable: true },
  internal_error: { status: 500, title: "Something went wrong here", retryable: true },
} as const;

/** Closed list of problem codes. */
export type ProblemCode = keyof typeof PROBLEMS;

export const PROBLEM_CODES: readonly ProblemCode[] = Object.keys(PROBLEMS).filter(isProblemCode);

/** Whether text is a code of the closed list. */
export function isProblemCode(text: string): text is ProblemCode {
  return Object.hasOwn(PROBLEMS, text);
}

/** RFC 9457 document (`application/problem+json`). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** What is wrong and what to do about it, for people. */
  readonly detail: string;
  readonly code: ProblemCode;
  /** Whether the same request may succeed later. After a 503 or a timeout, repeat it with the same Idempotency-Key. */
  readonly retryable: boolean;
  /** Dotted path of the field at fault. */
  readonly field?: string;
  /** Id of the submission or of the outcome, when there is one. */
  readonly id?: string;
}

/** The one error of every door: a code of the closed list, the field at fault and what to do. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly code: ProblemCode;
  readonly field: string | undefined;
  readonly id: string | undefined;

  constructor(
    code: ProblemCode,
    detail: string,
    options: { field?: string | undefined; id?: string | undefined; cause?: unknown } = {},
  ) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.field = options.field;
    this.id = options.id;
  }

  get retryable(): boolean {
    return PROBLEMS[this.code].retryable;
  }

  /** The document to send. It never holds the cause. */
  toProblem(): Problem {
    const { status, title, retryable } = PROBLEMS[this.code];
    return {
      type: `urn:assay:problem:${this.code}`,
      title,
      status,
      detail: this.message,
      code: this.code,
      retryable,
      ...(this.field === undefined ? {} : { field: this.field }),
      ...(this.id === undefined ? {} : { id: this.id }),
    };
  }
}
