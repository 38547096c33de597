import { describe, expect, test } from "vitest";
import { parseDurationMs } from "./duration.ts";

describe("parseDurationMs", () => {
  test.each([
    ["500ms", 500],
    ["120s", 120_000],
    ["30m", 1_800_000],
    ["24h", 86_400_000],
    ["2d", 172_800_000],
    ["0s", 0],
  ])("reads %s", (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });

  test.each(["", "s", "10", "1.5h", "-1s", "1 s", "1w", "1H", "9999999999s"])("refuses %j", (text) => {
    expect(parseDurationMs(text)).toBeUndefined();
  });
});
