import { ProblemError } from "@assay/protocol";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { submitEach } from "./submit-each.ts";

describe("submitEach", () => {
  test("answers in the order of the inputs, at most 64 at once", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 200 }), async (turns) => {
        let running = 0;
        let most = 0;
        const results = await submitEach(turns, async (turn, index) => {
          most = Math.max(most, ++running);
          for (let left = turn; left > 0; left--) await Promise.resolve();
          running--;
          return { index, turn };
        });
        expect(results).toEqual(turns.map((turn, index) => ({ ok: true, index, turn })));
        expect(most).toBeLessThanOrEqual(64);
      }),
    );
  });

  test("keeps a problem to the input that has it", async () => {
    const problem = new ProblemError("missing_field", "Send event_id.");
    const results = await submitEach(["a", "b"], (input) =>
      input === "a" ? Promise.reject(problem) : Promise.resolve({ id: input }),
    );
    expect(results).toEqual([
      { ok: false, problem },
      { ok: true, id: "b" },
    ]);
  });

  test("ends with whatever else is thrown", async () => {
    await expect(submitEach(["a"], () => Promise.reject(new Error("aborted")))).rejects.toThrow("aborted");
  });
});
