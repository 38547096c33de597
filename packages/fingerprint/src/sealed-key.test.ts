import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { parseSealedKeys, SealedKeyError } from "./sealed-key.ts";

const A = Buffer.alloc(32, 1).toString("base64");
const B = Buffer.alloc(32, 2).toString("base64");

describe("parseSealedKeys", () => {
  test("reads a comma list in its order", () => {
    const ids = parseSealedKeys(`${A}, ${B}`).map(({ id }) => id);
    expect(ids).toEqual([parseSealedKeys(A)[0]?.id, parseSealedKeys(B)[0]?.id]);
    expect(new Set(ids).size).toBe(2);
  });

  test("names a key by the first 8 hex characters of its SHA-256", () => {
    expect(parseSealedKeys(Buffer.alloc(32).toString("base64"))[0]?.id).toBe("66687aad");
  });

  test("reads a key whose last character carries spare bits", () => {
    const canonical = `${"A".repeat(42)}A=`;
    const spareBits = `${"A".repeat(42)}B=`;
    expect(parseSealedKeys(spareBits)[0]?.id).toBe(parseSealedKeys(canonical)[0]?.id);
  });

  test("reads a key without padding", () => {
    expect(parseSealedKeys(A.replace("=", ""))[0]?.id).toBe(parseSealedKeys(A)[0]?.id);
  });

  test.each([
    ["nothing", "", 1],
    ["a blank", " ", 1],
    ["a blank entry", `${A},`, 2],
    ["a blank entry between", `${A},,${B}`, 2],
    ["16 bytes", Buffer.alloc(16).toString("base64"), 1],
    ["33 bytes", Buffer.alloc(33).toString("base64"), 1],
    ["hex", Buffer.alloc(32).toString("hex"), 1],
    ["other characters", `${A.slice(0, 20)} ${A.slice(20)}`, 1],
    ["quotes", `"${A}"`, 1],
  ])("refuses %s and says where", (_, text, position) => {
    expect(() => parseSealedKeys(text)).toThrow(SealedKeyError);
    expect(() => parseSealedKeys(text)).toThrow(`Sealed key ${position} of`);
  });

  test("never tells a value that it refuses", () => {
    const secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ";
    expect(() => parseSealedKeys(`${A},${secret}`)).toThrow(
      expect.objectContaining({ code: "sealed_key_invalid", message: expect.not.stringContaining(secret) }),
    );
  });
});

describe("SealedKey", () => {
  test("shows its id alone when printed or serialised", () => {
    const bytes = Buffer.from("a secret key of thirty-two bytes");
    const [key] = parseSealedKeys(bytes.toString("base64"));
    const shown = JSON.stringify(key) + inspect(key, { depth: null, showHidden: true, getters: true });
    expect(JSON.parse(JSON.stringify(key))).toEqual({ id: key?.id });
    for (const leak of [
      "thirty-two",
      bytes.toString("base64"),
      bytes.toString("hex"),
      bytes.subarray(0, 4).join(", "),
    ]) {
      expect(shown).not.toContain(leak);
    }
  });
});
