import { describe, expect, test } from "vitest";
import { CommandError } from "./report.ts";
import { readPastTime, readTime } from "./past-time.ts";

const NOW = 1_760_000_000_000;

describe("a time of a command line", () => {
  test.each([
    ["90s", NOW - 90_000],
    ["90m", NOW - 5_400_000],
    ["2h", NOW - 7_200_000],
    ["2d", NOW - 172_800_000],
    ["999999d", 1],
    ["2025-10-09T08:53:20Z", NOW],
    ["2025-10-09", Date.UTC(2025, 9, 9)],
    ["1760000000000", NOW],
  ])("%s is %i", (text, time) => {
    expect(readPastTime("--since", text, NOW)).toBe(time);
  });

  test.each(["", "soon", "2", "-2d", "2 d", "1d2h", "2025", "yesterday", "2025-13-01", "1700000000"])(
    "%j is none",
    (text) => {
      expect(() => readPastTime("--since", text, NOW)).toThrow(CommandError);
      expect(() => readPastTime("--since", text, NOW)).toThrow(`--since ${text} is neither how long ago, such as 7d`);
    },
  );

  test("is not a span where only a time will do", () => {
    expect(() => readTime("--received-at", "2d")).toThrow(
      "--received-at 2d is neither unix milliseconds nor an ISO time",
    );
  });
});
