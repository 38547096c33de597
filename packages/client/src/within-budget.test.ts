import { ProblemError } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { withinBudget } from "./within-budget.ts";

const AMPLE = { timeoutMs: 10_000 };
const down = () => new ProblemError("unavailable", "Redis did not answer.");
const never = () => new Promise<never>(() => undefined);

describe("withinBudget", () => {
  test("repeats what may pass until it has passed", async () => {
    let tries = 0;
    const attempt = () => (++tries < 3 ? Promise.reject(down()) : Promise.resolve("done"));
    expect(await withinBudget(attempt, AMPLE)).toBe("done");
    expect(tries).toBe(3);
  });

  test("repeats nothing that stays wrong", async () => {
    let tries = 0;
    const attempt = () => Promise.reject(++tries === 1 ? new ProblemError("missing_field", "No.") : down());
    await expect(withinBudget(attempt, AMPLE)).rejects.toMatchObject({ code: "missing_field" });
  });

  test("passes on what is no problem at once", async () => {
    await expect(withinBudget(() => Promise.reject(new TypeError("a fault")), AMPLE)).rejects.toThrow("a fault");
  });

  test("ends in time though the attempt does not", async () => {
    const startedAt = performance.now();
    await expect(withinBudget(never, { timeoutMs: 60 })).rejects.toMatchObject({
      code: "unavailable",
      cause: { message: "There was no answer within 60 ms." },
    });
    expect(performance.now() - startedAt).toBeLessThan(500);
  });

  test("tells the failure before the end, not the end", async () => {
    let tries = 0;
    const shed = new ProblemError("overloaded", "Too much.", { id: "s_1" });
    const attempt = () => (++tries === 1 ? Promise.reject(shed) : never());
    await expect(withinBudget(attempt, { timeoutMs: 150 })).rejects.toBe(shed);
    expect(tries).toBe(2);
  });

  test("tells each attempt what is left, and ends it by its signal", async () => {
    const seen: { signal: AbortSignal; leftMs: number }[] = [];
    const attempt = (signal: AbortSignal, leftMs: number) => {
      seen.push({ signal, leftMs });
      return seen.length === 1 ? Promise.reject(down()) : never();
    };
    await withinBudget(attempt, { timeoutMs: 150 }).catch(() => undefined);
    const [first, second] = seen;
    expect(first?.leftMs).toBeLessThanOrEqual(150);
    expect(second?.leftMs).toBeLessThan((first?.leftMs ?? 0) - 20);
    expect(second?.signal.aborted).toBe(true);
  });

  test("ends with the reason of the caller's signal", async () => {
    const controller = new AbortController();
    const ended = withinBudget(never, { ...AMPLE, signal: controller.signal });
    controller.abort(new Error("gone"));
    await expect(ended).rejects.toThrow("gone");
  });

  test("does not begin when the caller's signal has aborted", async () => {
    let tries = 0;
    const signal = AbortSignal.abort(new Error("gone before"));
    const attempt = () => Promise.reject(new Error(`attempt ${++tries}`));
    await expect(withinBudget(attempt, { ...AMPLE, signal })).rejects.toThrow("gone before");
    expect(tries).toBe(0);
  });
});
