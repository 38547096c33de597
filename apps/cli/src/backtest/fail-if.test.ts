import { describe, expect, test } from "vitest";
import { CommandError } from "../report.ts";
import { holds, METRICS, type Metric, readFailIf } from "./fail-if.ts";

const VALUES: Record<Metric, number | undefined> = {
  block_rate_delta: 0.02,
  challenge_rate_delta: -0.01,
  flips: 12,
  flip_rate: 0.03,
  precision_delta: undefined,
  recall_delta: undefined,
  rows: 400,
  bad_rows: 0,
};

describe("--fail-if", () => {
  test.each([
    ["block_rate_delta > 0.01", true],
    ["block_rate_delta > 2e-2", false],
    ["block_rate_delta>=.02", true],
    ["challenge_rate_delta < -0.005", true],
    ["flips <= 12", true],
    ["flips != 12", false],
    ["bad_rows == 0", true],
    ["flips > 100 || rows < 1000", true],
    ["flips > 10 && rows > 1000", false],
    ["flips > 100 && rows > 1 || flips > 10", true],
    ["flips > 10 || flips > 100 && rows > 1000", true],
  ])("%s: %s", (text, expected) => {
    expect(holds(readFailIf(text), VALUES)).toBe(expected);
  });

  test.each([
    ["block_rate_detla > 0.01", "block_rate_detla is not known. Did you mean block_rate_delta?"],
    ["latency > 1", `latency is not known. Known are: ${METRICS.join(", ")}.`],
    ["flips", '"flips" is no comparison.'],
    ["flips > ten", '"flips > ten" is no comparison.'],
    ["flips > 1 and rows > 2", "is no comparison."],
    ["flips > 1 ||", '"" is no comparison.'],
    ["", '"" is no comparison.'],
  ])("refuses %j", (text, message) => {
    expect(() => readFailIf(text)).toThrow(message);
  });

  test("does not pass where it hangs on what is not known", () => {
    expect(() => holds(readFailIf("precision_delta < 0"), VALUES)).toThrow(CommandError);
    expect(() => holds(readFailIf("flips > 100 || recall_delta < 0"), VALUES)).toThrow("recall_delta");
    expect(holds(readFailIf("flips > 10 || recall_delta < 0"), VALUES)).toBe(true);
    expect(holds(readFailIf("flips > 100 && recall_delta < 0"), VALUES)).toBe(false);
  });
});
