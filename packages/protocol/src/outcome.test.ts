import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Outcome, outcomeDigest, readOutcome } from "./outcome.ts";
import { ProblemError } from "./problem.ts";

const SUBMISSION_ID = "s_mzzpllie4mehvy3njrfqhb6c5r";

function problemOf(act: () => unknown): ProblemError | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof ProblemError) return error;
    throw error;
  }
  return undefined;
}

describe("readOutcome", () => {
  test.each([
    ["submission_id", SUBMISSION_ID],
    ["event_id", "1708102555327.NLOjmg"],
    ["reference", "Bestellung №7"],
  ])("finds what it is about by %s", (by, value) => {
    expect(readOutcome({ [by]: value, outcome: "login_failed" })).toEqual({
      about: { by, value },
      outcome: "login_failed",
    });
  });

  test("takes a label alone, and a time", () => {
    const body = { submission_id: SUBMISSION_ID, label: "legit", occurred_at: 1_760_000_000_000 };
    expect(readOutcome(body)).toEqual({
      about: { by: "submission_id", value: SUBMISSION_ID },
      label: "legit",
      occurred_at: 1_760_000_000_000,
    });
  });

  test("takes null for absent", () => {
    const body = {
      submission_id: null,
      event_id: "e",
      reference: null,
      outcome: null,
      label: "fraud",
      occurred_at: null,
    };
    expect(readOutcome(body)).toEqual({ about: { by: "event_id", value: "e" }, label: "fraud" });
  });

  test.each([
    ["submissionId", "submission_id"],
    ["id", "submission_id"],
    ["eventId", "event_id"],
    ["requestId", "event_id"],
    ["referense", "reference"],
    ["context", "reference"],
    ["outcomes", "outcome"],
    ["Label", "label"],
    ["occurredAt", "occurred_at"],
  ])("names the right spelling of %s", (name, right) => {
    const problem = problemOf(() => readOutcome({ [name]: "x" }));
    expect(problem).toMatchObject({ code: "unknown_field", field: name });
    expect(problem?.message).toContain(`Did you mean ${right}?`);
  });

  test("names what is known where nothing is near", () => {
    const problem = problemOf(() => readOutcome({ amount_eur: 12 }));
    expect(problem?.message).toContain("submission_id, event_id, reference, outcome, label, occurred_at");
  });

  test.each<[string, unknown, string, string]>([
    ["no submission", { outcome: "paid" }, "missing_field", "submission_id"],
    ["neither outcome nor label", { event_id: "e" }, "missing_field", "outcome"],
    ["two submissions", { event_id: "e", reference: "r", label: "fraud" }, "invalid_field", "reference"],
    ["an id of no form", { submission_id: "s_1", label: "fraud" }, "invalid_field", "submission_id"],
    ["an event id with a slash", { event_id: "a/b", label: "fraud" }, "invalid_field", "event_id"],
    ["an empty reference", { reference: "", label: "fraud" }, "invalid_field", "reference"],
    ["a reference that is too long", { reference: "x".repeat(257), label: "fraud" }, "invalid_field", "reference"],
    ["an outcome in capitals", { event_id: "e", outcome: "Paid" }, "invalid_field", "outcome"],
    ["an outcome with a line break", { event_id: "e", outcome: "paid\n" }, "invalid_field", "outcome"],
    ["an outcome that is too long", { event_id: "e", outcome: "x".repeat(65) }, "invalid_field", "outcome"],
    ["a label of its own", { event_id: "e", label: "chargeback" }, "invalid_field", "label"],
    [
      "a time in seconds",
      { event_id: "e", label: "fraud", occurred_at: 1_760_000_000 },
      "invalid_field",
      "occurred_at",
    ],
    ["a time as text", { event_id: "e", label: "fraud", occurred_at: "today" }, "invalid_field", "occurred_at"],
    ["a list", [], "invalid_field", ""],
  ])("refuses %s, and names the field", (_, body, code, field) => {
    const problem = problemOf(() => readOutcome(body));
    expect([problem?.code, problem?.field ?? ""]).toEqual([code, field]);
  });

  test("throws nothing but a problem, whatever it is given", () => {
    const field = fc.constantFrom("submission_id", "event_id", "reference", "outcome", "label", "occurred_at");
    fc.assert(
      fc.property(fc.dictionary(field, fc.jsonValue()), (body) => {
        expect(() => problemOf(() => readOutcome(body))).not.toThrow();
      }),
    );
  });
});

describe("outcomeDigest", () => {
  const outcome: Outcome = {
    about: { by: "reference", value: "o-1" },
    outcome: "paid",
    label: "legit",
    occurred_at: 1,
  };

  test("is the same for the same outcome, in whatever order it is said", () => {
    const { about, ...rest } = outcome;
    expect(outcomeDigest({ ...rest, about })).toBe(outcomeDigest(outcome));
  });

  test.each<[string, Partial<Outcome>]>([
    ["about", { about: { by: "event_id", value: "o-1" } }],
    ["value", { about: { by: "reference", value: "o-2" } }],
    ["outcome", { outcome: "refunded" }],
    ["label", { label: "fraud" }],
    ["occurred_at", { occurred_at: 2 }],
  ])("is another for another %s", (_, change) => {
    expect(outcomeDigest({ ...outcome, ...change })).not.toBe(outcomeDigest(outcome));
  });
});
