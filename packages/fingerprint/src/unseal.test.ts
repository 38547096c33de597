import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { MAX_EVENT_BYTES } from "@assay/protocol";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seal } from "./seal.ts";
import { parseSealedKeys, type SealedKey } from "./sealed-key.ts";
import { unseal, UnsealError } from "./unseal.ts";

const EVENT = { event_id: "1708102555327.NLOjmg", timestamp: 1708102555327 };
const HEADER = Buffer.from("9e85dced", "hex");

describe("unseal", () => {
  test("opens a v4 event and names the key", () => {
    const key = aKey();
    expect(unseal(seal(EVENT, key), [key])).toEqual({ json: EVENT, keyId: key.id });
  });

  test("opens a v3 event", () => {
    const key = aKey();
    const json = { products: { identification: { data: { requestId: "a" } } } };
    expect(unseal(seal(json, key), [key]).json).toEqual(json);
  });

  test("opens bytes that are no Buffer", () => {
    const key = aKey();
    expect(unseal(new Uint8Array(seal(EVENT, key)), [key]).json).toEqual(EVENT);
  });

  test("opens with any of several keys", () => {
    const keys = [aKey(), aKey(), aKey()];
    expect(keys.map((key) => unseal(seal(EVENT, key), keys).keyId)).toEqual(keys.map(({ id }) => id));
  });

  test("leaves the sealed bytes as they were", () => {
    const key = aKey();
    const sealed = seal(EVENT, key);
    const before = Buffer.from(sealed);
    unseal(sealed, [key]);
    expect(before.equals(sealed)).toBe(true);
  });

  test("opens an event of exactly the longest size", () => {
    const key = aKey();
    const text = paddedTo(MAX_EVENT_BYTES);
    expect(unseal(seal(text, key), [key]).json).toMatchObject(EVENT);
  });

  test.each([
    ["nothing", Buffer.alloc(0), "invalid_header"],
    ["part of the header", HEADER.subarray(0, 3), "invalid_header"],
    ["another header", Buffer.concat([Buffer.from("9e85dcef", "hex"), Buffer.alloc(60)]), "invalid_header"],
    ["the header alone", HEADER, "too_short"],
    ["31 bytes", Buffer.concat([HEADER, Buffer.alloc(27)]), "too_short"],
    ["32 bytes", Buffer.concat([HEADER, Buffer.alloc(28)]), "no_key_opens"],
  ])("refuses %s", (_, bytes, code) => {
    expect(codeOf(bytes, [aKey()])).toBe(code);
  });

  test("refuses a result sealed with an unknown key", () => {
    expect(codeOf(seal(EVENT, aKey()), [aKey(), aKey()])).toBe("no_key_opens");
  });

  test("refuses everything without keys", () => {
    expect(codeOf(seal(EVENT, aKey()), [])).toBe("no_key_opens");
  });

  test.each([
    ["more than the longest event", paddedTo(MAX_EVENT_BYTES + 1), "too_large"],
    ["a bomb", Buffer.alloc(64 * 1024 * 1024), "too_large"],
    ["no JSON", '{"event_id":', "invalid_json"],
    ["JSON after a byte order mark", `\uFEFF${JSON.stringify(EVENT)}`, "invalid_json"],
    ["null", "null", "not_an_event"],
    ["a list", "[]", "not_an_event"],
    ["a text", '"event_id"', "not_an_event"],
    ["an event without a time", '{"event_id":"a"}', "not_an_event"],
    ["no product with data", '{"products":{"botd":{"error":{"code":"Failed"}}}}', "not_an_event"],
    ["a search page", `{"events":[${JSON.stringify(EVENT)}]}`, "not_an_event"],
    ["a webhook of v3", '{"requestId":"a","timestamp":1}', "not_an_event"],
  ])("refuses %s inside", (_, plaintext, code) => {
    const key = aKey();
    expect(codeOf(seal(plaintext, key), [key])).toBe(code);
  });

  test("tries no other key once one has opened", () => {
    const [opener, poisoned] = [aKey(), aKey()];
    Object.defineProperty(poisoned, "material", {
      get: () => {
        throw new Error("was tried");
      },
    });
    expect(codeOf(seal("no JSON", opener), [opener, poisoned])).toBe("invalid_json");
  });

  test("opens whatever was sealed", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.uint8Array({ minLength: 12, maxLength: 12 }),
        (rest, nonce) => {
          const key = aKey();
          const json: unknown = JSON.parse(JSON.stringify({ ...rest, ...EVENT }));
          expect(unseal(seal(json, key, { nonce }), [key])).toEqual({ json, keyId: key.id });
        },
      ),
    );
  });

  test("refuses a result with any byte changed", () => {
    const key = aKey();
    const sealed = seal(EVENT, key);
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (index, change) => {
        const changed = Uint8Array.from(sealed, (byte, at) => (at === index ? byte ^ change : byte));
        expect(codeOf(changed, [key])).toBe(index < HEADER.length ? "invalid_header" : "no_key_opens");
      }),
    );
  });

  test("refuses any bytes it did not seal with an UnsealError", () => {
    const key = aKey();
    fc.assert(
      fc.property(fc.boolean(), fc.uint8Array({ maxLength: 64 }), (withHeader, bytes) => {
        expect(codeOf(withHeader ? Buffer.concat([HEADER, bytes]) : bytes, [key])).toBeTypeOf("string");
      }),
    );
  });
});

describe("UnsealError", () => {
  test.each([
    ["invalid_json", '{"visitor":"private-visitor"'],
    ["not_an_event", '{"visitor":"private-visitor"}'],
    ["no_key_opens", JSON.stringify(EVENT)],
  ])("of %s holds no key and nothing of what was inside", (code, plaintext) => {
    const bytes = Buffer.from("a secret key of thirty-two bytes");
    const [key] = parseSealedKeys(bytes.toString("base64"));
    if (key === undefined) throw new Error("no key");
    const error = failure(seal(plaintext, code === "no_key_opens" ? aKey() : key), [key]);
    expect(error.code).toBe(code);
    const shown = JSON.stringify(error) + inspect(error, { depth: null, showHidden: true });
    for (const leak of ["private-visitor", "secret key", bytes.toString("base64"), bytes.toString("hex"), "97, 32"]) {
      expect(shown).not.toContain(leak);
    }
  });
});

function aKey(): SealedKey {
  const [key] = parseSealedKeys(randomBytes(32).toString("base64"));
  if (key === undefined) throw new Error("no key");
  return key;
}

function paddedTo(bytes: number): string {
  const bare = JSON.stringify({ ...EVENT, tags: { pad: "" } }).length;
  return JSON.stringify({ ...EVENT, tags: { pad: "x".repeat(bytes - bare) } });
}

function codeOf(bytes: Uint8Array, keys: readonly SealedKey[]): string {
  return failure(bytes, keys).code;
}

function failure(bytes: Uint8Array, keys: readonly SealedKey[]): UnsealError {
  try {
    unseal(bytes, keys);
  } catch (error) {
    if (error instanceof UnsealError) return error;
    throw error;
  }
  throw new Error("It opened.");
}
