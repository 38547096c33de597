import { describe, expect, test } from "vitest";
import { isProblemCode, PROBLEM_CODES, ProblemError } from "./problem.ts";
import { ProblemDocument } from "./schemas.ts";

describe("ProblemError", () => {
  test("sends a document with status, code, field and what to do", () => {
    const error = new ProblemError("invalid_field", "flow must be a text.", { field: "context.flow" });
    expect(error.toProblem()).toEqual({
      type: "urn:assay:problem:invalid_field",
      title: "A field is not what it must be",
      status: 400,
      detail: "flow must be a text.",
      code: "invalid_field",
      retryable: false,
      field: "context.flow",
    });
  });

  test("keeps its cause and never sends it", () => {
    const error = new ProblemError("unavailable", "Try again.", { cause: new Error("key p2PA"), id: "s_1" });
    expect(error.cause).toBeInstanceOf(Error);
    expect(JSON.stringify(error.toProblem())).not.toContain("p2PA");
    expect(error.toProblem()).toMatchObject({ status: 503, retryable: true, id: "s_1" });
  });

  test.each(PROBLEM_CODES)("makes of %s a document that its schema accepts", (code) => {
    const problem = new ProblemError(code, "Detail.").toProblem();
    expect(ProblemDocument.parse(problem)).toEqual(problem);
  });

  test("is retryable exactly when the fault is on this side, and passes", () => {
    for (const code of PROBLEM_CODES) {
      const { status, retryable } = new ProblemError(code, "Detail.").toProblem();
      expect([code, retryable]).toEqual([code, status >= 500 && status !== 501]);
    }
  });
});

describe("isProblemCode", () => {
  test("knows only the closed list", () => {
    expect([isProblemCode("not_found"), isProblemCode("toString"), isProblemCode("teapot")]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
