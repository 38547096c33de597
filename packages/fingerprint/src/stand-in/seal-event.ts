import { seal } from "../seal.ts";
import { parseSealedKeys } from "../sealed-key.ts";

/**
 * Seals an event as Fingerprint's API does, for `sealed_result`. `base64Key` is a key of `ASSAY_SEALED_KEYS`; of several,
 * the first. Throws a SealedKeyError for a key that cannot be used.
 */
export function sealEvent(event: unknown, base64Key: string): string {
  const [key] = parseSealedKeys(base64Key);
  if (key === undefined) throw new TypeError("A list of keys is never empty.");
  return Buffer.from(seal(event, key)).toString("base64");
}
