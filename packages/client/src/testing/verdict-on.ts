import type { Action, Submission, Verdict } from "@assay/protocol";

/** What a test says of a submission: an action, or an action and whatever else the verdict is to hold. */
export type TestDecision = Action | (Partial<Verdict> & Pick<Verdict, "action">);

/** What a verdict is about. */
export interface Decided {
  readonly id: string;
  readonly submission: Submission;
  /** Unix ms. */
  readonly receivedAt: number;
  /** Unix ms. */
  readonly decidedAt: number;
}

/** A whole verdict: what the test says, and for the rest a ruleset of no rules. The id is always the submission's. */
export function verdictOn({ id, submission, receivedAt, decidedAt }: Decided, decision: TestDecision): Verdict {
  const { kind, event_id: eventId, context = {} } = submission;
  const { flow, user_id: userId, reference } = context;
  return {
    kind,
    score: 0,
    reasons: [],
    shadow: [],
    unknown: [],
    checks: {},
    coverage: { rules: 0, judged: 0 },
    ruleset: { name: submission.ruleset ?? "default", digest: "0000000000000000", engine: "assay-testing/1" },
    received_at: receivedAt,
    decided_at: decidedAt,
    ...(eventId === undefined ? {} : { event_id: eventId }),
    ...(submission.context === undefined
      ? {}
      : {
          context: {
            ...(flow === undefined ? {} : { flow }),
            ...(userId === undefined ? {} : { user_id: userId }),
            ...(reference === undefined ? {} : { reference }),
          },
        }),
    ...(typeof decision === "string" ? { action: decision } : decision),
    schema: "assay.verdict/1",
    id,
  };
}
