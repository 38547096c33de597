import { closestName } from "./closest-name.ts";
import { type Context, CONTEXT_FIELDS, isRecord, readContext, unknownField } from "./context.ts";
import type { Kind } from "./lanes.ts";
import { ProblemError } from "./problem.ts";
import { isTestEventId, readTestEvent, TEST_EVENT_IDS } from "./test-event.ts";

/** What a caller hands in by `POST /v1/submissions` and by the client: an event id or a sealed result. */
export interface SubmissionInput {
  event_id?: string;
  /** Base64, at most 128 KiB decoded. */
  sealed_result?: string;
  /** Name of the ruleset to decide by; the installation's own choice when absent. */
  ruleset?: string;
  context?: Context;
}

/** A submission that has been read: what the ledger keeps, and the bytes apart from it. */
export interface Submission {
  readonly kind: Kind;
  /** As claimed by the caller; of a webhook, its own. */
  readonly event_id?: string;
  readonly ruleset?: string;
  readonly context?: Context;
  /** Whether its event id is a test event's. It is decided like any other, and counts nowhere. */
  readonly test?: true;
  /** W3C trace context of the request that brought it. */
  readonly traceparent?: string;
  /** A sealed result's bytes or a webhook's raw body. */
  readonly payload?: Uint8Array;
}

/** A read submission and the context fields that were left out because they cannot be judged. */
export interface ReadSubmission {
  readonly submission: Submission;
  readonly invalidContextFields: readonly string[];
}

/** Longest sealed result, in decoded bytes. */
export const MAX_SEALED_BYTES = 128 * 1024;
/** Longest body of `POST /v1/submissions`: a sealed result in base64 and a full context around it. */
export const MAX_BODY_BYTES = 192 * 1024;

const EVENT_ID = /^[A-Za-z0-9._-]{1,64}$/;
const RULESET = /^[a-z0-9_-]{1,64}$/;
const FIELDS = ["event_id", "sealed_result", "ruleset", "context"];
/** What the agent's `get()` result holds besides: the caller may pass that result on as it is. */
const AGENT_FIELDS = new Set([
  "visitor_id",
  "suspect_score",
  "cache_hit",
  "confidence",
  "visitor_found",
  "first_seen_at",
  "last_seen_at",
  "zero_trust",
]);

/**
 * Reads the body of a submission. Nulls mean absent; other fields of the agent's result are ignored; near-misses of
 * our names are refused with the right spelling. Throws a ProblemError that names the field and the fix.
 */
export function readSubmission(body: unknown): ReadSubmission {
  if (!isRecord(body))
    throw new ProblemError("invalid_field", "The body must be a JSON object with event_id or sealed_result.");
  refuseNearMisses(body);
  const eventId = readEventId(body["event_id"]);
  const sealed = readSealed(body["sealed_result"]);
  const ruleset = readRuleset(body["ruleset"]);
  const read = absent(body["context"]) ? undefined : readContext(body["context"]);
  if (eventId === undefined && sealed === undefined) {
    throw new ProblemError("missing_field", "Send event_id, or sealed_result as the agent returned it.", {
      field: "event_id",
    });
  }
  const isTest = eventId !== undefined && isTestEventId(eventId);
  if (isTest) refuseUnknownTest(eventId, sealed);
  const submission: Submission = {
    kind: sealed === undefined ? "lookup" : "sealed",
    ...(eventId === undefined ? {} : { event_id: eventId }),
    ...(ruleset === undefined ? {} : { ruleset }),
    ...(read === undefined ? {} : { context: read.context }),
    ...(isTest ? { test: true } : {}),
    ...(sealed === undefined ? {} : { payload: sealed }),
  };
  return { submission, invalidContextFields: read?.invalidFields ?? [] };
}

function refuseNearMisses(body: Record<string, unknown>): void {
  for (const name of Object.keys(body)) {
    if (FIELDS.includes(name) || AGENT_FIELDS.has(name)) continue;
    throw unknownField("", name, FIELDS, meantBy(name));
  }
}

function meantBy(name: string): string | undefined {
  // `requestId` is what agent 3 called the event id; no edit distance finds that.
  if (/^request_?id$/i.test(name)) return "event_id";
  return closestName(name, FIELDS) ?? (CONTEXT_FIELDS.includes(name) ? `context.${name}` : undefined);
}

function readEventId(given: unknown): string | undefined {
  if (absent(given)) return undefined;
  if (typeof given === "string" && isEventId(given)) return given;
  throw new ProblemError(
    "invalid_field",
    "event_id must be the agent's event_id: 1 to 64 characters of A-Z, a-z, 0-9, . _ and -.",
    { field: "event_id" },
  );
}

/** Whether text can be an event id. Lenient, as the vendor's own ids vary; strict enough for a path and a key. */
export function isEventId(text: string): boolean {
  return EVENT_ID.test(text) && !/^\.{1,2}$/.test(text);
}

function refuseUnknownTest(eventId: string, sealed: Uint8Array | undefined): void {
  if (sealed === undefined && readTestEvent(eventId) !== undefined) return;
  throw new ProblemError(
    "invalid_field",
    sealed === undefined
      ? `event_id begins with test_ and is no test event. There are: ${TEST_EVENT_IDS.join(", ")}.`
      : "event_id is a test event's. Send it alone, without sealed_result, or send the event_id that came with the sealed result.",
    { field: "event_id" },
  );
}

function readSealed(given: unknown): Uint8Array | undefined {
  if (absent(given)) return undefined;
  const field = "sealed_result";
  // Two steps, each linear: one pattern that also allows white space takes seconds on a long run of it.
  const base64 = typeof given === "string" ? given.replaceAll(/\s/g, "") : "";
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) {
    throw new ProblemError("invalid_field", "sealed_result must be the agent's sealed_result: base64 text.", { field });
  }
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length <= MAX_SEALED_BYTES) return bytes;
  throw new ProblemError(
    "payload_too_large",
    `sealed_result may hold at most ${MAX_SEALED_BYTES} bytes once decoded; this one holds ${bytes.length}.`,
    { field },
  );
}

function readRuleset(given: unknown): string | undefined {
  if (absent(given)) return undefined;
  if (typeof given === "string" && RULESET.test(given)) return given;
  throw new ProblemError(
    "invalid_field",
    "ruleset must be the name of a ruleset: 1 to 64 characters of a-z, 0-9, _ and -.",
    { field: "ruleset" },
  );
}

/** Whether a field says nothing: null means the same as leaving it out. */
export function absent(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

/**
 * Reads an Idempotency-Key: 1 to 255 visible ASCII characters, surrounding double quotes ignored.
 * It names the caller's own operation; equal to the event id it would turn replay protection off, and is refused.
 */
export function readIdempotencyKey(given: string | undefined, eventId: string | undefined): string {
  const field = "Idempotency-Key";
  if (given === undefined || given === "") {
    throw new ProblemError(
      "idempotency_key_missing",
      "Send an Idempotency-Key header that names your operation, for example login-7f3a; repeat it when you retry.",
      { field },
    );
  }
  const key = /^"(.*)"$/.exec(given)?.[1] ?? given;
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new ProblemError(
      "idempotency_key_invalid",
      "The Idempotency-Key must be 1 to 255 visible ASCII characters.",
      { field },
    );
  }
  if (key === eventId) {
    throw new ProblemError(
      "idempotency_key_is_event_id",
      "The Idempotency-Key must name your operation, not the event: with the event id a replayed event would look like your own retry.",
      { field },
    );
  }
  return key;
}
