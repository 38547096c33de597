import { describe, expect, test } from "vitest";
import { CommandError } from "../report.ts";
import { readRange } from "./time-range.ts";

const NOW = Date.UTC(2026, 10, 27, 12);
const HOUR_MS = 3_600_000;

describe("readRange", () => {
  test.each([
    ["7d", undefined, NOW - 7 * 24 * HOUR_MS, NOW - 600_000],
    ["36h", "90m", NOW - 36 * HOUR_MS, NOW - 1.5 * HOUR_MS],
    ["2026-11-26T12:00:00Z", "2026-11-27", NOW - 24 * HOUR_MS, NOW - 12 * HOUR_MS],
    [String(NOW - 5), String(NOW), NOW - 5, NOW],
    ["1h", "2027-01-01", NOW - HOUR_MS, NOW],
  ])("reads --since %s --until %s", (since, until, from, to) => {
    expect(readRange(since, until, NOW)).toEqual({ since: from, until: to });
  });

  test.each([
    ["a week", undefined, "--since a week is neither how long ago"],
    ["1700000000", undefined, "is neither how long ago"],
    ["7d", "soon", "--until soon is neither how long ago"],
    ["1d", "1d", "does not lie before the end"],
    ["5m", undefined, "does not lie before the end, 2026-11-27T11:50:00.000Z"],
  ])("refuses --since %s --until %s", (since, until, why) => {
    expect(() => readRange(since, until, NOW)).toThrow(CommandError);
    expect(() => readRange(since, until, NOW)).toThrow(why);
  });
});
