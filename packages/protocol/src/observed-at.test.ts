import { describe, expect, test } from "vitest";
import { checkObservedAt } from "./observed-at.ts";

const NOW = 1_800_000_000_000;
const DAY_MS = 24 * 60 * 60 * 1000;

describe("checkObservedAt", () => {
  test.each([undefined, {}, { observed_at: NOW + 10_000 }, { observed_at: NOW }, { observed_at: NOW - DAY_MS }])(
    "takes %j",
    (context) => {
      expect(() => checkObservedAt(context, NOW)).not.toThrow();
    },
  );

  test.each([
    [NOW + 10_001, /in the future/],
    [NOW - DAY_MS - 1, /24 hours back/],
    [NOW / 1000, /not seconds/],
  ])("refuses %d and says what to send", (observedAt, said) => {
    expect(() => checkObservedAt({ observed_at: observedAt }, NOW)).toThrow(
      expect.objectContaining({
        code: "invalid_field",
        field: "context.observed_at",
        message: expect.stringMatching(said),
      }),
    );
  });
});
