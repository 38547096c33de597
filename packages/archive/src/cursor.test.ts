import { assert, integer, property, stringMatching } from "fast-check";
import { describe, expect, test } from "vitest";
import { readCursor, writeCursor } from "./cursor.ts";

describe("readCursor", () => {
  test("reads every place that was written", () => {
    assert(
      property(
        integer({ min: 0, max: 253_402_300_799_999 }),
        stringMatching(/^[sbw]_[a-z2-7~]{1,30}$/),
        (receivedAt, id) => {
          expect(readCursor(writeCursor({ receivedAt, id }))).toEqual({ receivedAt, id });
        },
      ),
    );
  });

  test.each([
    "",
    "MSAx",
    "1 5 s_a",
    Buffer.from("1 -5 s_a").toString("base64url"),
    Buffer.from("1 5 ").toString("base64url"),
    Buffer.from("1 5 s_\0").toString("base64url"),
    Buffer.from("1 5 s_é").toString("base64url"),
  ])("refuses %j, which was not", (cursor) => {
    expect(() => readCursor(cursor)).toThrow(expect.objectContaining({ code: "cursor_invalid" }));
  });
});
