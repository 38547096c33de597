import { describe, expect, test } from "vitest";
import { rateOf } from "./rate.ts";

const NOW = 1_795_000_020_000;
const minute = (minutesAgo: number, asked: number) => ({
  at: NOW - 20_000 - minutesAgo * 60_000,
  counts: { asked },
});

describe("rateOf", () => {
  test("is 0 where nothing was counted", () => {
    expect(rateOf([], "asked", NOW)).toEqual({ count: 0, perSecond: 0, peakPerSecond: 0 });
  });

  test("takes a first moment for a minute", () => {
    expect(rateOf([minute(0, 30)], "asked", NOW)).toMatchObject({ count: 30, perSecond: 0.5 });
  });

  test("averages the last ten minutes, and knows the busiest", () => {
    const minutes = [minute(0, 20), minute(3, 120), minute(9, 60), minute(11, 6000)];
    const { count, perSecond, peakPerSecond } = rateOf(minutes, "asked", NOW);
    expect([count, peakPerSecond]).toEqual([200, 2]);
    expect(perSecond).toBeCloseTo(200 / 560);
  });

  test("counts one thing alone", () => {
    expect(rateOf([minute(0, 30)], "verdicts", NOW).count).toBe(0);
  });
});
