import { describe, expect, test } from "vitest";
import { within } from "./within.ts";

const NEVER = new Promise<never>(() => undefined);

describe("within", () => {
  test("passes on what comes in time", async () => {
    await expect(within(Promise.resolve(1), 1000, () => new Error("late"))).resolves.toBe(1);
  });

  test("passes on a failure that comes in time", async () => {
    await expect(within(Promise.reject(new Error("broken")), 1000, () => new Error("late"))).rejects.toThrow("broken");
  });

  test("throws what was agreed when the time is over", async () => {
    await expect(within(NEVER, 1, () => new Error("late"))).rejects.toThrow("late");
  });
});
