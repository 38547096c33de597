import { createDecipheriv } from "node:crypto";
import { inflateRawSync } from "node:zlib";
import { MAX_EVENT_BYTES } from "@assay/protocol";
import { eventVersion } from "./event-version.ts";
import { CIPHER, HEADER, HEADER_BYTES, MIN_SEALED_BYTES, NONCE_BYTES, TAG_BYTES } from "./sealed-layout.ts";
import type { SealedKey } from "./sealed-key.ts";

// An event has some 5 KB: one chunk, and not the 16 KiB that zlib would fill anew for each.
const CHUNK_BYTES = 8 * 1024;

/** What an opened sealed result holds, and the id of the key that opened it. */
export interface Unsealed {
  /** A v4 event, or a v3 event with `products`. */
  readonly json: unknown;
  readonly keyId: string;
}

/** Why a sealed result could not be opened. Closed list, in the order in which they are found out. */
export type UnsealCode =
  | "invalid_header"
  | "too_short"
  | "no_key_opens"
  | "inflate_failed"
  | "too_large"
  | "invalid_json"
  | "not_an_event";

/** A sealed result that did not open. Holds no key, no sealed byte and nothing of what was inside: safe to log. */
export class UnsealError extends Error {
  override readonly name = "UnsealError";
  readonly code: UnsealCode;

  constructor(code: UnsealCode, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Opens a sealed result with the first key that authenticates it. That key is final: what is wrong further inside is
 * wrong for every key. Synchronous, as for a few kilobytes a thread pool costs more than the work. Throws UnsealError.
 */
export function unseal(bytes: Uint8Array, keys: readonly SealedKey[]): Unsealed {
  checkLayout(bytes);
  for (const key of keys) {
    const compressed = decrypt(bytes, key);
    if (compressed !== undefined) return { json: parse(inflate(compressed)), keyId: key.id };
  }
  throw new UnsealError(
    "no_key_opens",
    `None of ${keys.length} sealed keys opens this sealed result. Add the key that is active in the Fingerprint dashboard.`,
  );
}

function checkLayout(bytes: Uint8Array): void {
  if (bytes.length < HEADER_BYTES || !HEADER.every((byte, index) => bytes[index] === byte)) {
    throw new UnsealError(
      "invalid_header",
      "This is no sealed result: it does not start with 9E85DCED. Send the agent's sealed_result as it came.",
    );
  }
  if (bytes.length < MIN_SEALED_BYTES) {
    throw new UnsealError(
      "too_short",
      `A sealed result has at least ${MIN_SEALED_BYTES} bytes; this one has ${bytes.length}. It was cut on its way.`,
    );
  }
}

/** The compressed JSON, or undefined when the key does not authenticate it. */
function decrypt(bytes: Uint8Array, key: SealedKey): Buffer | undefined {
  const tagStart = bytes.length - TAG_BYTES;
  const nonce = bytes.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES);
  const decipher = createDecipheriv(CIPHER, key.material, nonce, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(bytes.subarray(tagStart));
  const compressed = decipher.update(bytes.subarray(HEADER_BYTES + NONCE_BYTES, tagStart));
  try {
    // GCM gives all bytes with update; final gives none and only checks the tag.
    decipher.final();
  } catch {
    return undefined;
  }
  return compressed;
}

function inflate(compressed: Buffer): string {
  try {
    return inflateRawSync(compressed, { maxOutputLength: MAX_EVENT_BYTES, chunkSize: CHUNK_BYTES }).toString();
  } catch (error) {
    if (error instanceof RangeError) {
      throw new UnsealError(
        "too_large",
        `The sealed event takes more than ${MAX_EVENT_BYTES} bytes as JSON. Put less into its tags.`,
      );
    }
    throw new UnsealError(
      "inflate_failed",
      "The sealed result opened, but its content is not raw deflate. Send the agent's sealed_result as it came.",
    );
  }
}

function parse(text: string): unknown {
  const json = parseJson(text);
  if (eventVersion(json) === "v4" || eventVersion(json) === "v3") return json;
  throw new UnsealError(
    "not_an_event",
    "The sealed result opened, but holds no Fingerprint event: neither event_id and timestamp nor products with data.",
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which is personal data: it is not kept as a cause.
    throw new UnsealError("invalid_json", "The sealed result opened, but its content is not JSON.");
  }
}
