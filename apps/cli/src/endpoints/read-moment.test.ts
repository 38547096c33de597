import { describe, expect, test } from "vitest";
import { readMoment } from "./read-moment.ts";

const NOW = 1_760_000_000_000;

describe("a moment of a command line", () => {
  test.each([
    ["90s", NOW - 90_000],
    ["90m", NOW - 5_400_000],
    ["2h", NOW - 7_200_000],
    ["2d", NOW - 172_800_000],
    ["1w", NOW - 604_800_000],
    ["999999w", 1],
    ["2025-10-09T08:53:20Z", NOW],
    ["2025-10-09", Date.UTC(2025, 9, 9)],
    ["1760000000000", NOW],
  ])("%s is %i", (text, moment) => {
    expect(readMoment("--since", text, NOW)).toBe(moment);
  });

  test.each([undefined, "", "soon", "2", "-2d", "2 d", "1d2h", "2025", "yesterday", "2025-13-01"])(
    "%s is none",
    (text) => {
      expect(() => readMoment("--since", text, NOW)).toThrow("--since must be a span such as 2d");
    },
  );
});
