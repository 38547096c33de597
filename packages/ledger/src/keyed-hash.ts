import { createHmac } from "node:crypto";
import { parseAddress } from "@assay/protocol";

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

/**
 * The hash by which the line of lookups knows whom an event was presented by, as far as the caller told an address: a
 * site has an IPv6 network of 48 bits.
 */
export function networkHash(hashKey: string, ip = ""): string {
  const address = parseAddress(ip);
  const network = address?.family === 6 ? address.text.split(":").slice(0, 3).join(":") : (address?.network ?? ip);
  return keyedHash(hashKey, "turn", network);
}
