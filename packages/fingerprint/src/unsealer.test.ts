import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { seal } from "./seal.ts";
import { SealedKey } from "./sealed-key.ts";
import { createUnsealer } from "./unsealer.ts";

const EVENT = { event_id: "1708102555327.NLOjmg", timestamp: 1708102555327 };

/** A key that counts how often it was tried. */
class CountedKey extends SealedKey {
  tries = 0;

  override get material() {
    this.tries++;
    return super.material;
  }
}

describe("createUnsealer", () => {
  test("tries the key first that opened last", () => {
    const [newest, middle, oldest] = [aKey(), aKey(), aKey()];
    const sealed = seal(EVENT, oldest);
    const unsealer = createUnsealer([newest, middle, oldest]);
    unsealer.unseal(sealed);
    oldest.tries = 0;
    unsealer.unseal(sealed);
    unsealer.unseal(sealed);
    expect([newest.tries, middle.tries, oldest.tries]).toEqual([1, 1, 2]);
  });

  test("keeps trying the other keys", () => {
    const keys = [aKey(), aKey(), aKey()];
    const unsealer = createUnsealer(keys);
    const order = [2, 0, 1, 1, 2, 0].flatMap((index) => keys[index] ?? []);
    expect(order.map((key) => unsealer.unseal(seal(EVENT, key)).keyId)).toEqual(order.map(({ id }) => id));
  });

  test("forgets no key when nothing opens", () => {
    const key = aKey();
    const unsealer = createUnsealer([aKey(), key]);
    expect(() => unsealer.unseal(seal(EVENT, aKey()))).toThrow(expect.objectContaining({ code: "no_key_opens" }));
    expect(unsealer.unseal(seal(EVENT, key)).json).toEqual(EVENT);
  });

  test("opens nothing without keys", () => {
    expect(() => createUnsealer([]).unseal(seal(EVENT, aKey()))).toThrow(
      expect.objectContaining({ code: "no_key_opens" }),
    );
  });
});

function aKey(): CountedKey {
  return new CountedKey(randomBytes(32));
}
