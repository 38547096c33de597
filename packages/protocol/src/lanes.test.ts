import { describe, expect, test } from "vitest";
import { laneOf, LANES, queueName } from "./lanes.ts";

const ID = "s_mzzpllie4mehvy3njrfqhb6c5r";

describe("laneOf", () => {
  test.each([
    ["sealed", "results"],
    ["lookup", "lookups"],
    ["webhook", "background"],
    ["backfill", "background"],
  ] as const)("sends %s to %s", (kind, lane) => {
    expect(laneOf(kind)).toBe(lane);
    expect(laneOf(kind, ID)).toBe(lane);
  });

  test.each([
    ["sealed", "background"],
    ["lookup", "lookups"],
    ["webhook", "background"],
    ["backfill", "background"],
  ] as const)("sends a redriven %s to %s", (kind, lane) => {
    expect(laneOf(kind, `${ID}~1`)).toBe(lane);
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
