import { describe, expect, test } from "vitest";
import { readDoorbell } from "./doorbell.ts";

describe("readDoorbell", () => {
  test("says whose submissions wait, and which", () => {
    expect(readDoorbell({ v: 1, tenant: "eu", ids: ["s_1", "s_2"] })).toEqual({ tenant: "eu", ids: ["s_1", "s_2"] });
  });

  test.each([
    [undefined],
    [{}],
    [{ v: 2, tenant: "eu", ids: ["s_1"] }],
    [{ v: 1, ids: ["s_1"] }],
    [{ v: 1, tenant: "E U", ids: ["s_1"] }],
    [{ v: 1, tenant: "eu", ids: [] }],
    [{ v: 1, tenant: "eu", ids: [1] }],
    [{ v: 1, tenant: "eu" }],
  ])("takes %j for no doorbell of ours", (data) => {
    expect(readDoorbell(data)).toBeUndefined();
  });
});
