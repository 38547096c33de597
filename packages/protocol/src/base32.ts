const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/** The first `length` characters of the RFC 4648 base32 form of `bytes`, in lower case and without padding. */
export function base32(bytes: Uint8Array, length: number): string {
  let text = "";
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = (buffer << 8) | byte;
    bits += 8;
    while (bits >= 5 && text.length < length) {
      bits -= 5;
      text += ALPHABET[(buffer >> bits) & 31];
    }
    // At most 4 bits stay behind, so the accumulator never overflows.
    buffer &= (1 << bits) - 1;
  }
  return text;
}
