import { randomBytes } from "node:crypto";
import { DecryptionAlgorithm, unsealEventsResponse } from "@fingerprint/node-sdk";
import { describe, expect, test } from "vitest";
import { seal } from "./seal.ts";
import { SealedKey } from "./sealed-key.ts";

const EVENT = { event_id: "1708102555327.NLOjmg", timestamp: 1708102555327, tags: { name: "žluťoučký" } };

describe("seal", () => {
  test.each([
    ["an object", EVENT],
    ["text", JSON.stringify(EVENT)],
    ["bytes", Buffer.from(JSON.stringify(EVENT))],
  ])("seals %s as the vendor's SDK opens it", async (_, json) => {
    const key = randomBytes(32);
    const sealed = Buffer.from(seal(json, new SealedKey(key)));
    expect(await unsealEventsResponse(sealed, [{ key, algorithm: DecryptionAlgorithm.Aes256Gcm }])).toEqual(EVENT);
  });

  test("takes a fresh nonce each time", () => {
    const key = new SealedKey(randomBytes(32));
    expect(seal(EVENT, key)).not.toEqual(seal(EVENT, key));
  });

  test("makes the same bytes of the same nonce", () => {
    const key = new SealedKey(randomBytes(32));
    const nonce = Buffer.alloc(12, 7);
    expect(seal(EVENT, key, { nonce })).toEqual(seal(EVENT, key, { nonce }));
  });
});
