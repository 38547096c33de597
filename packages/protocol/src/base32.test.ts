import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { base32 } from "./base32.ts";

describe("base32", () => {
  // RFC 4648 §10; bits that fill no whole character are left out.
  test.each([
    ["", ""],
    ["f", "m"],
    ["fo", "mzx"],
    ["foo", "mzxw"],
    ["foob", "mzxw6y"],
    ["fooba", "mzxw6ytb"],
    ["foobar", "mzxw6ytboi"].map((text) => text.slice(0, 9)),
  ])("writes %j as %j", (text, expected) => {
    expect(base32(Buffer.from(text ?? ""), 99)).toBe(expected);
  });

  test("cuts at the length asked for", () => {
    expect(base32(Buffer.from("foobar"), 5)).toBe("mzxw6");
  });

  test("tells any two hashes apart by their first 130 bits", () => {
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(hash, fc.integer({ min: 0, max: 129 }), (bytes, bit) => {
        const other = Uint8Array.from(bytes);
        other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (128 >> (bit & 7));
        expect(base32(bytes, 26)).toMatch(/^[a-z2-7]{26}$/);
        expect(base32(other, 26)).not.toBe(base32(bytes, 26));
      }),
    );
  });
});
