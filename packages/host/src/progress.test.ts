import { describe, expect, test } from "vitest";
import { createProgress } from "./progress.ts";

function setup() {
  let now = 5;
  const progress = createProgress({ now: () => now, limitMs: 60_000 });
  return { progress, pass: (ms: number) => void (now += ms) };
}

describe("createProgress", () => {
  test("is never stuck without work", () => {
    const { progress, pass } = setup();
    pass(1_000_000);
    expect(progress.isStuck(true)).toBe(false);
  });

  test("is stuck when work made no progress for longer than the limit", () => {
    const { progress, pass } = setup();
    progress.busy(3);
    pass(60_000);
    expect(progress.isStuck(true)).toBe(false);
    pass(1);
    expect(progress.isStuck(true)).toBe(true);
  });

  test("counts the time from when the work came, not from the start", () => {
    const { progress, pass } = setup();
    pass(1_000_000);
    progress.busy(1);
    pass(60_000);
    expect(progress.isStuck(true)).toBe(false);
  });

  test("is not stuck again once something was finished", () => {
    const { progress, pass } = setup();
    progress.busy(2);
    pass(60_001);
    progress.worked();
    progress.busy(1);
    expect(progress.isStuck(true)).toBe(false);
  });

  test("more work is not progress", () => {
    const { progress, pass } = setup();
    progress.busy(1);
    pass(40_000);
    progress.busy(2);
    pass(40_000);
    expect(progress.isStuck(true)).toBe(true);
  });

  test("is not stuck while Redis is away, and counts anew when it is back", () => {
    const { progress, pass } = setup();
    progress.busy(1);
    pass(100_000);
    expect(progress.isStuck(false)).toBe(false);
    pass(60_000);
    expect(progress.isStuck(true)).toBe(false);
    pass(1);
    expect(progress.isStuck(true)).toBe(true);
  });
});
