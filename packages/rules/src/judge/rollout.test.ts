import { describe, expect, test } from "vitest";
import { isRolledOut } from "./rollout.ts";

const VISITORS = Array.from({ length: 100_000 }, (_, index) => `visitor-${index}`);
const reached = (rule: string, percent: number) => new Set(VISITORS.filter((id) => isRolledOut(rule, id, percent)));

describe("isRolledOut", () => {
  test.each([0, 1, 10, 50, 99.5, 100])("reaches about %d % of the visitors", (percent) => {
    // Five standard deviations of a fair draw.
    const slack = 5 * Math.sqrt((100_000 * (percent / 100) * (100 - percent)) / 100);
    expect(Math.abs(reached("a", percent).size - percent * 1000)).toBeLessThanOrEqual(slack);
  });

  test("reaches whom it reached when the share grows", () => {
    const wide = reached("a", 20);
    expect([...reached("a", 10)].filter((id) => !wide.has(id))).toEqual([]);
  });

  test("picks other visitors for another rule", () => {
    const second = reached("b", 10);
    const both = [...reached("a", 10)].filter((id) => second.has(id)).length;
    // A tenth of a tenth, as of independent draws.
    expect(both).toBeGreaterThan(800);
    expect(both).toBeLessThan(1200);
  });

  test.each([
    ["new_rule", "Ibk1527CUFmcnjLwIs4A", 8.1],
    ["a", "visitor-0", 25.9],
  ])("gives %s and %s the same place in every version", (rule, visitor, percent) => {
    expect([isRolledOut(rule, visitor, percent), isRolledOut(rule, visitor, percent + 0.2)]).toEqual([false, true]);
  });
});
