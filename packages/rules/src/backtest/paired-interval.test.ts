import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pairedInterval } from "./paired-interval.ts";

describe("pairedInterval", () => {
  // Bentur et al. 2009, 21 children before and after a transplantation: 1 case only before, 7 only after. The interval
  // is published with the method's comparison by Fagerland, Lydersen and Laake (2014).
  test("gives the interval that is published for a known table", () => {
    const [low, high] = pairedInterval({ cases: 21, onlyBefore: 1, onlyAfter: 7 });
    expect([low.toFixed(3), high.toFixed(3)]).toEqual(["0.013", "0.508"]);
  });

  test("turns around when before and after do", () => {
    const [low, high] = pairedInterval({ cases: 50, onlyBefore: 3, onlyAfter: 9 });
    expect(pairedInterval({ cases: 50, onlyBefore: 9, onlyAfter: 3 })).toEqual([-high, -low]);
  });

  test("is not a point where nothing changed, and narrows with more cases", () => {
    const [low, high] = pairedInterval({ cases: 100, onlyBefore: 0, onlyAfter: 0 });
    expect(low).toBeLessThan(0);
    expect(high).toBe(-low);
    expect(pairedInterval({ cases: 10_000, onlyBefore: 0, onlyAfter: 0 })[1]).toBeLessThan(high / 50);
  });

  test("stays between -1 and 1, and holds the difference unless every case changed", () => {
    const tables = fc.record({
      onlyBefore: fc.nat(500),
      onlyAfter: fc.nat(500),
      same: fc.integer({ min: 4, max: 5000 }),
    });
    fc.assert(
      fc.property(tables, ({ onlyBefore, onlyAfter, same }) => {
        const cases = onlyBefore + onlyAfter + same;
        const [low, high] = pairedInterval({ cases, onlyBefore, onlyAfter });
        const difference = (onlyAfter - onlyBefore) / cases;
        expect([-1, low, difference, high, 1].toSorted((a, b) => a - b)).toEqual([-1, low, difference, high, 1]);
      }),
    );
  });
});
