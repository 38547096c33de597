import { describe, expect, test } from "vitest";
import { moreSevere } from "./actions.ts";

describe("moreSevere", () => {
  test.each([
    ["allow", "challenge", "challenge"],
    ["review", "challenge", "review"],
    ["review", "block", "block"],
    ["block", "allow", "block"],
    ["allow", "allow", "allow"],
  ] as const)("of %s and %s is %s", (a, b, expected) => {
    expect(moreSevere(a, b)).toBe(expected);
  });
});
