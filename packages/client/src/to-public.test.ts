import { describe, expect, test } from "vitest";
import { toPublic } from "./to-public.ts";

describe("toPublic", () => {
  test("tells the action and nothing else", () => {
    const verdict = { action: "block", score: 90, reasons: [{ rule: "bad_bot" }] } as const;
    expect(toPublic(verdict)).toEqual({ action: "block" });
  });
});
