import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * Whether the `fpjs-event-signature` header signs these exact bytes with one of the secrets. Compared in constant time.
 * The header is a comma list of `<version>=<hash>`; only `v1` counts, nothing is trimmed, and what follows a second
 * `=` is ignored, as in the vendor's SDK. No header, no secrets or an empty secret verify nothing.
 */
export function verifySignature(rawBody: Uint8Array, header: string | undefined, secrets: readonly string[]): boolean {
  const hashes = hashesOf(header ?? "");
  return (
    hashes.length > 0 &&
    secrets.some((secret) => {
      if (secret === "") return false;
      const expected = Buffer.from(hmac(rawBody, secret));
      return hashes.some((hash) => hash.length === expected.length && timingSafeEqual(hash, expected));
    })
  );
}

/** The header that Fingerprint would send with this body: `v1=` and a hash. Text is its UTF-8. For tests and the demo. */
export function signWebhook(rawBody: string | Uint8Array, secret: string): string {
  return `v1=${hmac(rawBody, secret)}`;
}

function hashesOf(header: string): Buffer[] {
  return header.split(",").flatMap((signature) => {
    const [version, hash] = signature.split("=");
    return version === "v1" && hash !== undefined ? [Buffer.from(hash)] : [];
  });
}

function hmac(rawBody: string | Uint8Array, secret: string): string {
  return createHmac("sha256", secret).update(rawBody).digest("hex");
}
