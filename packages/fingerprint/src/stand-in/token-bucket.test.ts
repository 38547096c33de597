import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createTokenBucket } from "./token-bucket.ts";

describe("createTokenBucket", () => {
  test("gives a burst at once, then as much as comes in", () => {
    let now = 0;
    const bucket = createTokenBucket({ rps: 5, burst: 3 }, () => now);
    const take = (count: number) => Array.from({ length: count }, () => bucket.take());
    expect(take(4)).toEqual([true, true, true, false]);
    now = 199;
    expect(bucket.take()).toBe(false);
    now = 200;
    expect(take(2)).toEqual([true, false]);
    now = 60_000;
    expect(take(4)).toEqual([true, true, true, false]);
  });

  test("never gives more than the burst and what came in since", () => {
    const limits = fc.record({ rps: fc.integer({ min: 1, max: 50 }), burst: fc.integer({ min: 1, max: 50 }) });
    fc.assert(
      fc.property(limits, fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 200 }), (limit, pauses) => {
        let now = 0;
        const bucket = createTokenBucket(limit, () => now);
        let given = 0;
        for (const pause of pauses) {
          now += pause;
          if (bucket.take()) given++;
          expect(given).toBeLessThanOrEqual(limit.burst + (now / 1000) * limit.rps + 1e-6);
        }
      }),
    );
  });
});
