import { createHash } from "node:crypto";
import { base32 } from "./base32.ts";

/** 26 base32 characters: 130 bits of SHA-256. */
const HASH_CHARACTERS = 26;

/**
 * The id of a submission that came with an Idempotency-Key: `s_` and a hash of tenant, key name and Idempotency-Key.
 * None of the caller's text is in it, so it may stand in logs, URLs and Redis keys.
 */
export function submissionId(tenant: string, keyName: string, idempotencyKey: string): string {
  return `s_${hash(tenant, keyName, idempotencyKey)}`;
}

/** The id of a webhook's submission. It hangs on the event id alone: Fingerprint's one retry is the same submission. */
export function webhookId(tenant: string, eventId: string): string {
  return `w_${hash(tenant, eventId)}`;
}

/** The id of a backfilled event's submission. It hangs on the event id alone: a repetition is the same submission. */
export function backfillId(tenant: string, eventId: string): string {
  return `b_${hash(tenant, eventId)}`;
}

/** The id of an outcome that was told with an Idempotency-Key: `o_` and the same hash as of a submission. */
export function outcomeId(tenant: string, keyName: string, idempotencyKey: string): string {
  return `o_${hash(tenant, keyName, idempotencyKey)}`;
}

/** The id of a verdict's way to an endpoint, the same for every try: `wh_` and a hash. Receivers dedupe by it. */
export function deliveryId(tenant: string, endpoint: string, verdictId: string): string {
  return `wh_${hash(tenant, endpoint, verdictId)}`;
}

const ID = /^[swb]_[a-z2-7]{26}(?:~[0-9]{1,3})?$/;

/** Whether text has the form of a submission id. */
export function isSubmissionId(text: string): boolean {
  return ID.test(text);
}

const REDRIVES = 999;

/**
 * The id under which a submission is redriven: `<id>~1`, and `<id>~2` where that one is redriven. Undefined after 999
 * times, and for what is no submission id.
 */
export function redriveId(id: string): string | undefined {
  const [first = "", times = "0"] = id.split("~");
  return isSubmissionId(id) && Number(times) < REDRIVES ? `${first}~${Number(times) + 1}` : undefined;
}

/** The submission that a redrive is of, which may be a redrive itself. Undefined for an id that is no redrive's. */
export function redriveOf(id: string): string | undefined {
  const [first = "", times] = id.split("~");
  if (times === undefined || !isSubmissionId(id)) return undefined;
  return Number(times) > 1 ? `${first}~${Number(times) - 1}` : first;
}

// A length before each part: no two lists of parts hash alike.
function hash(...parts: string[]): string {
  const digest = createHash("sha256");
  for (const part of parts) digest.update(`${Buffer.byteLength(part)}:${part}`);
  return base32(digest.digest(), HASH_CHARACTERS);
}
