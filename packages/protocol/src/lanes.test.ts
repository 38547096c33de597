import { describe, expect, test } from "vitest";
import { laneOf } from "./lanes.ts";

describe("laneOf", () => {
  test.each([
    ["sealed", "results"],
    ["lookup", "lookups"],
    ["webhook", "background"],
    ["backfill", "background"],
  ] as const)("sends %s to %s", (kind, lane) => {
    expect(laneOf(kind)).toBe(lane);
  });
});
