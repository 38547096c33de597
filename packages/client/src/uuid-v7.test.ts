import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { uuidV7 } from "./uuid-v7.ts";

const TIME = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const RANDOM = fc.uint8Array({ minLength: 10, maxLength: 10 });

describe("uuidV7", () => {
  test("is the example of RFC 9562", () => {
    const random = Buffer.from("0cc318c4dc0c0c07398f", "hex");
    expect(uuidV7(0x017f22e279b0, random)).toBe("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  });

  test("has its version and variant whatever is drawn", () => {
    fc.assert(
      fc.property(TIME, RANDOM, (nowMs, random) => {
        expect(uuidV7(nowMs, random)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      }),
    );
  });

  test("sorts by time", () => {
    fc.assert(
      fc.property(TIME, TIME, RANDOM, RANDOM, (a, b, first, second) => {
        fc.pre(a < b);
        expect(uuidV7(a, first) < uuidV7(b, second)).toBe(true);
      }),
    );
  });

  test("differs each time", () => {
    expect(uuidV7(1)).not.toBe(uuidV7(1));
  });
});
