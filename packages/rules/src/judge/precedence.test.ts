import { ACTIONS, type Action, moreSevere } from "@assay/protocol";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { settleAction } from "./precedence.ts";

const action = fc.constantFrom(...ACTIONS);
const actions = fc.array(action, { maxLength: 5 });
const fired = fc.array(fc.constantFrom<Action>("challenge", "review", "block"), { maxLength: 3 });

describe("settleAction", () => {
  test.each<[Action[], Action[], Action, Action]>([
    [[], [], "allow", "allow"],
    [[], [], "review", "review"],
    [[], ["challenge"], "review", "review"],
    [[], ["review"], "challenge", "review"],
    [[], ["challenge", "block"], "review", "block"],
    [[], ["allow"], "block", "allow"],
    [[], ["allow", "block"], "block", "allow"],
    [["challenge"], [], "allow", "challenge"],
    [["challenge", "block"], [], "allow", "block"],
    [["challenge"], ["allow"], "block", "challenge"],
    [["challenge"], ["allow", "block"], "allow", "challenge"],
    [["challenge"], ["block"], "allow", "block"],
    [["challenge"], [], "review", "review"],
  ])("integrity %j, hits %j, threshold %s: %s", (integrity, hits, threshold, expected) => {
    expect(settleAction(integrity, hits, threshold)).toBe(expected);
  });

  test("never falls below what integrity fired", () => {
    fc.assert(
      fc.property(fc.tuple(fired, actions, action), ([integrity, hits, threshold]) => {
        const result = settleAction(integrity, hits, threshold);
        expect(integrity.reduce(moreSevere, result)).toBe(result);
      }),
    );
  });

  test("does not depend on the order of what fired or hit", () => {
    fc.assert(
      fc.property(fc.tuple(fired, actions, action), ([integrity, hits, threshold]) => {
        expect(settleAction(integrity.toReversed(), hits.toReversed(), threshold)).toBe(
          settleAction(integrity, hits, threshold),
        );
      }),
    );
  });

  test("lets a hit allow silence every other rule and the threshold", () => {
    fc.assert(
      fc.property(fc.tuple(fired, actions, action), ([integrity, hits, threshold]) => {
        expect(settleAction(integrity, [...hits, "allow"], threshold)).toBe(settleAction(integrity, [], "allow"));
      }),
    );
  });
});
