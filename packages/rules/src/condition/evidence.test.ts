import { expect, test } from "vitest";
import { bounded } from "./evidence.ts";

test.each([
  ["a text as it is", "a".repeat(256), "a".repeat(256)],
  ["the start of a long text", "a".repeat(257), "a".repeat(256)],
  ["no half of a character", `${"a".repeat(255)}😀`, "a".repeat(255)],
  ["all of a character", `${"a".repeat(254)}😀a`, `${"a".repeat(254)}😀`],
])("evidence carries %s", (_, text, carried) => {
  expect(bounded(text)).toBe(carried);
});
