import { describe, expect, test } from "vitest";
import { readEntries, readPending } from "./stream-replies.ts";

describe("readEntries", () => {
  test("finds the envelope among other fields, and its absence", () => {
    const reply = [
      ["1-0", ["x", "1", "e", "{}"]],
      ["2-0", ["x", "1"]],
      ["3-0", null],
    ];
    expect(readEntries(reply)).toEqual([
      { entryId: "1-0", json: "{}" },
      { entryId: "2-0", json: undefined },
      { entryId: "3-0", json: undefined },
    ]);
  });

  test("passes over what was trimmed", () => {
    expect(readEntries([null, ["2-0", ["e", "{}"]]])).toEqual([{ entryId: "2-0", json: "{}" }]);
  });
});

describe("readPending", () => {
  test("reads who has an entry, for how long, and how often it was delivered", () => {
    expect(readPending([["1-0", "host:1", 1500, 2]])).toEqual([
      { entryId: "1-0", consumer: "host:1", idleMs: 1500, deliveries: 2 },
    ]);
  });
});
