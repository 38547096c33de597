import { describe, expect, test } from "vitest";
import { Accepted, SubmissionBody, SubmissionStatus, Verdict } from "./schemas.ts";

const VERDICT = {
  schema: "assay.verdict/1",
  id: "s_mzzpllie4mehvy3njrfqhb6c5r",
  kind: "sealed",
  action: "block",
  score: 40,
  reasons: [{ rule: "bad_bot", action: "block", message: "Automation tool detected", evidence: { bot: "bad" } }],
  shadow: [],
  unknown: [{ rule: "hidden_network", missing: ["vpn"] }],
  checks: { stale: false, event_age_seconds: 2.5, use_count: 1 },
  coverage: { rules: 3, judged: 2 },
  ruleset: { name: "default", digest: "d", engine: "1" },
  received_at: 1,
  decided_at: 2,
};

describe("SubmissionBody", () => {
  test("reads what readSubmission reads", () => {
    expect(SubmissionBody.parse({ event_id: "e" })).toEqual({
      submission: { kind: "lookup", event_id: "e" },
      invalidContextFields: [],
    });
  });

  test("brings the problem's code, message and path to the surface", () => {
    const { error } = SubmissionBody.safeParse({ event_id: "e", context: { flow: "Login" } });
    expect(error?.issues).toMatchObject([
      {
        code: "custom",
        path: ["context", "flow"],
        params: { code: "invalid_field" },
        message: expect.stringContaining("1 to 64"),
      },
    ]);
  });
});

describe("Verdict", () => {
  test("accepts a verdict as it is", () => {
    expect(Verdict.parse(VERDICT)).toEqual(VERDICT);
  });

  test("accepts an undecided code that it does not know", () => {
    expect(Verdict.safeParse({ ...VERDICT, undecided: { code: "of_a_later_version" } }).success).toBe(true);
  });

  test.each([
    ["another schema", { schema: "assay.verdict/2" }],
    ["an unknown action", { action: "deny" }],
    ["a negative score", { score: -1 }],
    ["null for absent", { visitor_id: null }],
    ["a check that is no boolean", { checks: { stale: "yes" } }],
    ["a time with a fraction", { decided_at: 1.5 }],
  ])("refuses %s", (_, change) => {
    expect(Verdict.safeParse({ ...VERDICT, ...change }).success).toBe(false);
  });

  test.each(Object.keys(VERDICT))("refuses a verdict without %s", (field) => {
    const rest = Object.fromEntries(Object.entries(VERDICT).filter(([name]) => name !== field));
    expect(Verdict.safeParse(rest).success).toBe(false);
  });
});

describe("Accepted", () => {
  test.each(["accepted", "duplicate", "pending"])("knows the status %s", (status) => {
    expect(Accepted.safeParse({ id: "s_1", status, durability: "local" }).success).toBe(true);
  });
});

describe("SubmissionStatus", () => {
  test("says why and until when a submission is snoozed", () => {
    const status = { id: "s_1", status: "snoozed", lane: "lookups", tries: 1, snoozed: { why: "429", until: 5 } };
    expect(SubmissionStatus.parse(status)).toEqual(status);
  });
});
