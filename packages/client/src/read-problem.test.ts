import { PROBLEM_CODES, ProblemError } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { readProblem } from "./read-problem.ts";

describe("readProblem", () => {
  test.each(PROBLEM_CODES)("reads %s as it was sent", (code) => {
    const sent = new ProblemError(code, "What to do.", { field: "context.ip", id: "s_1" }).toProblem();
    expect(readProblem(sent.status, JSON.parse(JSON.stringify(sent))).toProblem()).toEqual(sent);
  });

  test.each([
    [400, "invalid_request", false],
    [401, "unauthorized", false],
    [403, "forbidden", false],
    [404, "not_found", false],
    [406, "invalid_request", false],
    [408, "unavailable", true],
    [413, "payload_too_large", false],
    [431, "invalid_request", false],
    [429, "unavailable", true],
    [502, "unavailable", true],
    [504, "unavailable", true],
    [200, "internal_error", true],
  ])("judges %d without a problem document as %s", (status, code, retryable) => {
    expect(readProblem(status, undefined)).toMatchObject({ code, retryable, message: expect.stringContaining("url") });
  });

  test("does not believe a code that is not known", () => {
    expect(readProblem(503, { code: "out_of_coffee" })).toMatchObject({ code: "unavailable" });
  });
});
