import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextPauseMs } from "./retry-schedule.ts";

const HOUR_MS = 3_600_000;
const pauses = (random: number) =>
  Array.from({ length: 9 }, (_, n) => nextPauseMs({ failures: n + 1, ageMs: 0, random }) ?? 0);
const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);

describe("nextPauseMs", () => {
  test("makes ten tries in about 75 hours", () => {
    expect(Math.round(sum(pauses(0.5)) / HOUR_MS)).toBe(76);
    expect(nextPauseMs({ failures: 10, ageMs: 0, random: 0.5 })).toBeUndefined();
  });

  test("spreads each pause by a tenth, so that what failed together is not tried together", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
        const pauseMs = nextPauseMs({ failures, ageMs: 0, random }) ?? 0;
        const middleMs = nextPauseMs({ failures, ageMs: 0, random: 0.5 }) ?? 0;
        expect(Math.abs(pauseMs - middleMs)).toBeLessThanOrEqual(middleMs * 0.1 + 1e-6);
      }),
    );
    expect(new Set([pauses(0)[3], pauses(0.5)[3], pauses(1)[3]]).size).toBe(3);
  });

  test("waits for as long as the receiver asks, up to a day, and never less than it would", () => {
    const asked = (askedMs: number, failures = 1) => nextPauseMs({ failures, ageMs: 0, random: 0.5, askedMs });
    expect(asked(HOUR_MS)).toBe(HOUR_MS);
    expect(asked(1000 * HOUR_MS)).toBe(24 * HOUR_MS);
    expect(asked(0, 3)).toBe(HOUR_MS / 2);
  });

  test("gives up what has waited for probes for longer than ten tries take", () => {
    expect(nextPauseMs({ failures: 1, ageMs: 85 * HOUR_MS, random: 0.5 })).toBeUndefined();
    expect(nextPauseMs({ failures: 9, ageMs: sum(pauses(1).slice(0, 8)), random: 1 })).toBeDefined();
  });
});
