import { describe, expect, test } from "vitest";
import { laneOf, LANES, queueName } from "./lanes.ts";

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

describe("queueName", () => {
  test.each([
    ["0", ["results", "background", "lookups"]],
    ["shop-eu", ["results", "background", "lookups-shop-eu"]],
  ])("has the lanes of tenant %s in %j: only lookups are apart", (tenant, names) => {
    expect(LANES.map((lane) => queueName(lane, tenant))).toEqual(names);
  });
});
