/** A sealed result is header, nonce, ciphertext and tag; inside is raw deflate of UTF-8 JSON. */
export const CIPHER = "aes-256-gcm";
export const HEADER: readonly number[] = [0x9e, 0x85, 0xdc, 0xed];
export const HEADER_BYTES = 4;
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;
/** A sealed result of nothing. */
export const MIN_SEALED_BYTES = HEADER_BYTES + NONCE_BYTES + TAG_BYTES;
