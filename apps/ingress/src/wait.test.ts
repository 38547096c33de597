import { describe, expect, test } from "vitest";
import { WaitQuery } from "./wait.ts";

describe("WaitQuery", () => {
  test.each([
    [{}, undefined],
    [{ wait: "0" }, 0],
    [{ wait: "0.3" }, 300],
    [{ wait: "30" }, 30_000],
    [{ wait: "2.125", other: "ignored" }, 2125],
  ])("reads %j as %s ms", (query, waitMs) => {
    expect(WaitQuery.parse(query).wait).toBe(waitMs);
  });

  test.each(["", "-1", "30.1", "1e1", "0x1", "NaN", "300ms", "1,5", " 1"])(
    "refuses %j and says what it takes",
    (wait) => {
      expect(() => WaitQuery.parse({ wait })).toThrow("seconds from 0 to 30");
    },
  );

  test("refuses a repeated wait", () => {
    expect(() => WaitQuery.parse({ wait: ["1", "2"] })).toThrow("seconds from 0 to 30");
  });
});
