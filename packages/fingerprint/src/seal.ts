import { createCipheriv, randomBytes } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import { CIPHER, HEADER, NONCE_BYTES, TAG_BYTES } from "./sealed-layout.ts";
import type { SealedKey } from "./sealed-key.ts";

/**
 * Makes a sealed result as Fingerprint's API does: for tests, the demo and benchmarks. Text and bytes are sealed as
 * they are, anything else as its JSON. The nonce (12 bytes) is random by default; never use one twice with a key.
 */
export function seal(json: unknown, key: SealedKey, options: { nonce?: Uint8Array } = {}): Uint8Array {
  const nonce = options.nonce ?? randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key.material, nonce, { authTagLength: TAG_BYTES });
  const sealed = cipher.update(deflateRawSync(plaintext(json)));
  cipher.final();
  return Buffer.concat([Buffer.from(HEADER), nonce, sealed, cipher.getAuthTag()]);
}

function plaintext(json: unknown): string | Uint8Array {
  return typeof json === "string" || json instanceof Uint8Array ? json : JSON.stringify(json);
}
