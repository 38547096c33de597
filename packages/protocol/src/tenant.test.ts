import { describe, expect, test } from "vitest";
import { DEFAULT_TENANT, isTenantName } from "./tenant.ts";

describe("isTenantName", () => {
  test.each([DEFAULT_TENANT, "shop-eu", "a_b", "0".repeat(32)])("takes %s", (name) => {
    expect(isTenantName(name)).toBe(true);
  });

  test.each(["", "Shop", "a:b", "a b", "a{b}", "a\n", "ä", "0".repeat(33)])("refuses %j", (name) => {
    expect(isTenantName(name)).toBe(false);
  });
});
