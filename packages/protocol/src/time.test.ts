import { describe, expect, test } from "vitest";
import { readTime } from "./time.ts";

describe("readTime", () => {
  test.each([
    ["1700000000000", 1_700_000_000_000],
    ["2026-11-27", Date.UTC(2026, 10, 27)],
    ["2026-11-27T12:30Z", Date.UTC(2026, 10, 27, 12, 30)],
    ["2026-11-27T12:30:01.5Z", Date.UTC(2026, 10, 27, 12, 30, 1, 500)],
    ["2026-11-27T12:30:00+02:00", Date.UTC(2026, 10, 27, 10, 30)],
  ])("reads %s", (text, timeMs) => {
    expect(readTime(text)).toBe(timeMs);
  });

  test.each(["", "1700000000", "17000000000000", "yesterday", "2026-11-27T12:30", "2026-13-01", "27.11.2026", "1d"])(
    "reads no time in %j",
    (text) => {
      expect(readTime(text)).toBeUndefined();
    },
  );
});
