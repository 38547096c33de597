import type { Verdict } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { deliveryBody } from "./delivery-body.ts";

const VERDICT: Verdict = {
  schema: "assay.verdict/1",
  id: "s_1",
  kind: "lookup",
  action: "block",
  score: 40,
  reasons: [{ rule: "bad_bot", action: "block", message: "A bot", evidence: { user_agent: "secret-agent" } }],
  shadow: [{ rule: "quiet", evidence: { ip: "secret-address" } }],
  unknown: [],
  checks: { stale: false },
  coverage: { rules: 1, judged: 1 },
  ruleset: { name: "checkout", digest: "d", engine: "e" },
  received_at: 1,
  decided_at: 2,
  event_id: "1.abc",
  visitor_id: "secret-visitor",
  linked_id: "secret-linked",
  signals: { country: "secret-country" },
  context: { flow: "login", user_id: "secret-user", reference: "order1" },
  candidate: { ruleset: { name: "next", digest: "d", engine: "e" }, action: "allow", score: 0, rules: [] },
};

const body = (fields: "minimal" | "reasons" | "full", verdict: Verdict = VERDICT): unknown =>
  JSON.parse(deliveryBody(verdict, fields));

const ABOUT = {
  schema: "assay.verdict/1",
  id: "s_1",
  kind: "lookup",
  action: "block",
  received_at: 1,
  decided_at: 2,
  event_id: "1.abc",
  context: { flow: "login", reference: "order1" },
};

describe("deliveryBody", () => {
  test("minimal is the action, and what it is about", () => {
    expect(body("minimal")).toEqual({ type: "verdict.decided", id: "s_1", at: 2, data: ABOUT });
  });

  test("reasons adds score and rules, and no value of the event", () => {
    expect(body("reasons")).toEqual({
      type: "verdict.decided",
      id: "s_1",
      at: 2,
      data: {
        ...ABOUT,
        score: 40,
        reasons: [{ rule: "bad_bot", action: "block", message: "A bot" }],
        ruleset: VERDICT.ruleset,
      },
    });
    expect(deliveryBody(VERDICT, "reasons")).not.toContain("secret");
  });

  test("full is all of the verdict", () => {
    expect(body("full")).toEqual({ type: "verdict.decided", id: "s_1", at: 2, data: VERDICT });
  });

  test.each(["minimal", "reasons", "full"] as const)(
    "%s says that nothing could be decided, and that it is late",
    (fields) => {
      const undecided = { undecided: { code: "no_key_opens" }, late: true };
      expect(body(fields, { ...VERDICT, ...undecided })).toMatchObject({ data: undecided });
    },
  );
});
