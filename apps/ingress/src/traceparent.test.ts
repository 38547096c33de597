import { describe, expect, test } from "vitest";
import { readTraceparent } from "./traceparent.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

describe("readTraceparent", () => {
  test.each([`00-${TRACE}-${SPAN}-01`, `01-${TRACE}-${SPAN}-00`])("keeps %s", (header) => {
    expect(readTraceparent(header)).toBe(header);
  });

  test.each([
    undefined,
    "",
    `ff-${TRACE}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
  ])("counts %s as none", (header) => {
    expect(readTraceparent(header)).toBeUndefined();
  });
});
