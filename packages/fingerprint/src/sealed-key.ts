import { createSecretKey, type KeyObject } from "node:crypto";
import { secretFingerprint } from "@assay/protocol";

/** Bytes of an AES-256 key. */
const KEY_BYTES = 32;

/** One key of Fingerprint's sealed client results. Printing or serialising it shows its id alone. */
export class SealedKey {
  /** First 8 hex characters of the key's SHA-256: names it in metrics and logs. */
  readonly id: string;
  readonly #material: KeyObject;

  constructor(bytes: Uint8Array) {
    this.id = secretFingerprint(bytes);
    this.#material = createSecretKey(bytes);
  }

  /** What the cipher takes. Node never prints its bytes. */
  get material(): KeyObject {
    return this.#material;
  }
}

/** A key that cannot be used. Says which one by its position, never its value. */
export class SealedKeyError extends Error {
  override readonly name = "SealedKeyError";
  readonly code = "sealed_key_invalid";
}

/**
 * Reads a comma list of base64 keys, newest first. Each must decode to 32 bytes; its last character may carry spare
 * bits, as the vendor's own test key does. Throws a SealedKeyError for an empty list, a blank entry or any other text.
 */
export function parseSealedKeys(text: string): readonly SealedKey[] {
  return text.split(",").map((entry, index, entries) => {
    const bytes = decode(entry.trim());
    if (bytes !== undefined) return new SealedKey(bytes);
    throw new SealedKeyError(
      `Sealed key ${index + 1} of ${entries.length} is not ${KEY_BYTES} bytes in base64 (44 characters). ` +
        "Copy it from the Fingerprint dashboard, API Keys, Sealed Client Results.",
    );
  });
}

// Node's decoder skips what is not base64, so the alphabet is checked first.
function decode(entry: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(entry)) return undefined;
  const bytes = Buffer.from(entry, "base64");
  return bytes.length === KEY_BYTES ? bytes : undefined;
}
