import { createHmac } from "node:crypto";

/**
 * 22 characters that stand for a personal value in a Redis key. Only who has the installation's own `hashKey` can guess
 * at it; `kind` keeps equal values of different meaning apart.
 */
export function keyedHash(hashKey: string, kind: string, value: string): string {
  return createHmac("sha256", hashKey).update(`${kind}:${value}`).digest("base64url").slice(0, 22);
}

/** The hash under which `Keys.reference` finds the submissions of a caller's reference. */
export function referenceHash(hashKey: string, reference: string): string {
  return keyedHash(hashKey, "reference", reference);
}
