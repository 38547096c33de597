import { MAX_BODY_BYTES, ProblemError, type ProblemCode } from "@assay/protocol";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";
import { isProblemCode, isRecord } from "@assay/protocol";

/** Media type of every error. */
export const PROBLEM_TYPE = "application/problem+json";

/** Seconds after which a refused request may come again. */
const RETRY_AFTER_SECONDS: { readonly [code in ProblemCode]?: number } = {
  overloaded: 1,
  unavailable: 1,
  not_confirmed: 1,
  memory_shed: 5,
  archive_unavailable: 5,
  // Somebody must configure it first; Fingerprint itself comes again after five minutes.
  webhook_auth_not_configured: 300,
};

/**
 * The one error that a thrown value is to the caller. What is not known becomes `internal_error`, with it as cause.
 * `bodyLimit` is what the route takes, in bytes; default that of `POST /v1/submissions`.
 */
export function problemOf(error: unknown, bodyLimit: number = MAX_BODY_BYTES): ProblemError {
  if (error instanceof ProblemError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) return fromValidation(error.validation[0]);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new ProblemError("payload_too_large", `The body may take at most ${bodyLimit} bytes.`);
    case "FST_ERR_CTP_EMPTY_JSON_BODY":
    case "FST_ERR_CTP_INVALID_JSON_BODY":
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return invalidJson();
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new ProblemError("unsupported_media_type", "Send the body with Content-Type: application/json.");
    case "FST_ERR_BAD_URL":
    case "FST_ERR_MAX_PARAM_LENGTH":
      return notFound();
    default:
      return new ProblemError(
        "internal_error",
        "Something went wrong here. Repeat the request with the same Idempotency-Key.",
        { cause: error },
      );
  }
}

/** Headers that belong to a problem. */
export function headersOf(problem: ProblemError): Record<string, string> {
  const seconds = RETRY_AFTER_SECONDS[problem.code];
  return { "content-type": PROBLEM_TYPE, ...(seconds === undefined ? {} : { "retry-after": String(seconds) }) };
}

/** 400: what came before any route could look at it, by the code of Node's error. */
export function unreadable(code: string): ProblemError {
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new ProblemError("invalid_request", "The request did not arrive whole within 10 seconds.");
    case "HPE_HEADER_OVERFLOW":
      return new ProblemError(
        "invalid_request",
        "The head of the request takes more than 16 KiB. Send shorter headers.",
      );
    default:
      return new ProblemError("invalid_request", "This is not HTTP/1.1 that can be read.");
  }
}

/** 400: the body is not JSON. */
export function invalidJson(): ProblemError {
  return new ProblemError("invalid_json", "The body must be JSON text in UTF-8, of the length that was announced.");
}

/** 404: no such route. */
export function notFound(): ProblemError {
  return new ProblemError("not_found", "There is no such route. See /openapi.json for those there are.");
}

/** 404: nobody knows this submission, or no longer. */
export function unknownSubmission(id: string): ProblemError {
  return new ProblemError(
    "submission_not_found",
    "No submission has this id, or it was forgotten after its time. The id stands in the answer to POST /v1/submissions.",
    { id },
  );
}

/** 410: it was decided, but the verdict is gone. */
export function expiredVerdict(id: string): ProblemError {
  return new ProblemError("verdict_expired", "It was decided, but the verdict is no longer kept. Read it in time.", {
    id,
  });
}

/** The same problem, with the submission's id where it has none yet. */
export function withId(error: unknown, id: string): unknown {
  if (!(error instanceof ProblemError) || error.id !== undefined) return error;
  return new ProblemError(error.code, error.message, { field: error.field, id, cause: error.cause });
}

function fromValidation(issue: { instancePath: string; message?: string; params?: unknown } | undefined): ProblemError {
  const field = issue?.instancePath.slice(1).replaceAll("/", ".");
  const params = isRecord(issue?.params) && isRecord(issue.params["params"]) ? issue.params["params"] : {};
  const code = params["code"];
  return new ProblemError(
    typeof code === "string" && isProblemCode(code) ? code : "invalid_field",
    issue?.message ?? "A field is not what it must be.",
    { field: field === "" ? undefined : field },
  );
}
