import { describe, expect, test } from "vitest";
import { closestName, closestNames } from "./closest-name.ts";

const KNOWN = ["event_id", "sealed_result", "ruleset", "context", "ip"];

describe("closestName", () => {
  test.each([
    ["eventId", "event_id"],
    ["EVENT-ID", "event_id"],
    ["evnet_id", "event_id"],
    ["sealedResult", "sealed_result"],
    ["sealed_results", "sealed_result"],
    ["contxt", "context"],
    ["rulesets", "ruleset"],
    ["pi", "ip"],
    ["ip4", "ip"],
  ])("takes %s for %s", (name, meant) => {
    expect(closestName(name, KNOWN)).toBe(meant);
  });

  test.each(["visitor_id", "device", "", "uid", "x".repeat(100_000)])("knows nothing near a far name", (name) => {
    expect(closestName(name, KNOWN)).toBeUndefined();
  });

  test("prefers the nearer of two", () => {
    expect(closestName("login_nam", ["login_date", "login_name"])).toBe("login_name");
  });

  test("has an answer for names of its own list", () => {
    expect(KNOWN.map((name) => closestName(name, KNOWN))).toEqual(KNOWN);
  });
});

describe("closestNames", () => {
  test("names all that are equally near, and none that is farther", () => {
    expect(closestNames("login_namo", ["login_date", "login_name", "login_names", "login_nam"])).toEqual([
      "login_name",
      "login_nam",
    ]);
    expect(closestNames("device", KNOWN)).toEqual([]);
  });
});
