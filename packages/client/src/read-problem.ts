import { isProblemCode, isRecord, ProblemError, type ProblemCode } from "@assay/protocol";

/** What a status means that came without a problem document: from a proxy, or from something that is no Assay. */
const BY_STATUS: { readonly [status: number]: ProblemCode } = {
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  405: "method_not_allowed",
  408: "unavailable",
  413: "payload_too_large",
  415: "unsupported_media_type",
  429: "unavailable",
};

/** The error that an answer of HTTP is, by its parsed body. One that is no problem document of Assay is judged by its status. */
export function readProblem(status: number, body: unknown): ProblemError {
  const { code, detail, field, id } = isRecord(body) ? body : {};
  if (typeof code === "string" && isProblemCode(code)) {
    return new ProblemError(code, typeof detail === "string" ? detail : `Assay answered ${status}.`, {
      field: typeof field === "string" ? field : undefined,
      id: typeof id === "string" ? id : undefined,
    });
  }
  return new ProblemError(
    BY_STATUS[status] ?? byClass(status),
    `${status} came from something that is no Assay ingress. Check the url, and what stands before it.`,
  );
}

// A request that something refuses is not to be repeated: it would pass for Assay being away.
function byClass(status: number): ProblemCode {
  if (status >= 500) return "unavailable";
  return status >= 400 ? "invalid_request" : "internal_error";
}
