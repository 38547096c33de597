import { z } from "zod";
import { LABELS, type Outcome, OUTCOME_NAME, readOutcome } from "./outcome.ts";
import { PROBLEM_CODES, ProblemError, type ProblemCode } from "./problem.ts";
import { readSubmission, type ReadSubmission } from "./submission.ts";

export { Verdict } from "./verdict.ts";

const Fact = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);

const SubmissionShape = z
  .object({
    event_id: z
      .string()
      .optional()
      .describe("The agent's event_id. With what is for tests: test_<action>, test_slow or test_undecided_<code>."),
    sealed_result: z.string().optional().describe("The agent's sealed_result, base64, at most 128 KiB decoded."),
    ruleset: z.string().optional(),
    context: z
      .object({
        flow: z.string().optional().describe("The step of your product: login, checkout."),
        user_id: z.string().optional(),
        reference: z.string().optional().describe("Your order or session id; comes back in the verdict."),
        ip: z.string().optional().describe("One address: the visitor's, as your proxy saw it."),
        origin: z.string().optional(),
        user_agent: z.string().optional(),
        linked_id: z.string().optional(),
        visitor_id: z.string().optional(),
        observed_at: z.int().optional().describe("Unix ms at which your backend got the event."),
        facts: z.record(z.string(), Fact).optional().describe("What you know: at most 32 facts and 4 KiB."),
      })
      .optional(),
  })
  .describe("event_id or sealed_result, with what you observed. The agent's own result may be passed on as it is.");

/**
 * The body of `POST /v1/submissions`. One reader judges it by every door (`readSubmission`);
 * the shape beside it is what the documentation shows.
 */
export const SubmissionBody = bodyOf<ReadSubmission>(readSubmission).meta(jsonSchemaOf(SubmissionShape));

const OutcomeShape = z
  .object({
    submission_id: z.string().optional().describe("Of this, event_id and reference exactly one."),
    event_id: z.string().optional().describe("The latest decided submission of this event."),
    reference: z.string().optional().describe("The latest decided submission with this context.reference."),
    outcome: z.string().regex(OUTCOME_NAME).optional().describe("What happened, in your words: login_failed."),
    label: z.enum(LABELS).optional(),
    occurred_at: z.int().optional().describe("Unix ms; the moment you tell it when absent."),
  })
  .describe("What became of a submission: outcome, label or both.");

/** The body of `POST /v1/outcomes`, read by `readOutcome` at every door. */
export const OutcomeBody = bodyOf<Outcome>(readOutcome).meta(jsonSchemaOf(OutcomeShape));

/** What `202` says to an outcome. */
export const OutcomeAccepted = z
  .object({
    id: z.string(),
    submission_id: z.string().describe("The submission that took it."),
    status: z.enum(["accepted", "duplicate"]),
    durability: z.enum(["memory", "local", "replica"]),
  })
  .meta({ id: "OutcomeAccepted" });
export type OutcomeAccepted = z.infer<typeof OutcomeAccepted>;

/** What `202` says. `durability` is what the installation promises for the submission from that moment. */
export const Accepted = z
  .object({
    id: z.string(),
    status: z.enum(["accepted", "duplicate", "pending"]),
    durability: z.enum(["memory", "local", "replica"]),
  })
  .meta({ id: "Accepted" });
export type Accepted = z.infer<typeof Accepted>;

/** What `GET /v1/submissions/{id}` says. */
export const SubmissionStatus = z
  .object({
    id: z.string(),
    status: z.enum(["accepted", "waiting", "snoozed", "decided"]),
    lane: z.enum(["results", "background", "lookups"]),
    tries: z.int(),
    snoozed: z.object({ why: z.string(), until: z.int().describe("Unix ms.") }).optional(),
    label: z.enum(LABELS).optional().describe("The last one that was told."),
    outcomes: z
      .array(
        z.object({
          outcome: z.string().optional(),
          label: z.enum(LABELS).optional(),
          occurred_at: z.int().describe("Unix ms."),
        }),
      )
      .optional()
      .describe("What was told of it, in that order; the latest 32."),
    redriven_as: z.string().optional().describe("The submission that took its place, once it was redriven."),
    redrive_of: z.string().optional().describe("The submission whose place it took."),
  })
  .meta({ id: "SubmissionStatus" });
export type SubmissionStatus = z.infer<typeof SubmissionStatus>;

const codes: readonly [ProblemCode, ...ProblemCode[]] = [
  "invalid_json",
  ...PROBLEM_CODES.filter((code) => code !== "invalid_json"),
];

/** RFC 9457 document with Assay's closed list of codes. */
export const ProblemDocument = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe("What is wrong and what to do."),
    code: z.enum(codes),
    retryable: z.boolean(),
    field: z.string().optional(),
    id: z.string().optional(),
  })
  .meta({ id: "Problem" });

/** A body that one of our own readers judges. Its problem arrives as an issue with the code and the field. */
function bodyOf<Read>(read: (body: unknown) => Read) {
  return z.unknown().transform((body, context): Read => {
    try {
      return read(body);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      context.issues.push({
        code: "custom",
        input: body,
        message: error.message,
        path: error.field?.split(".") ?? [],
        params: { code: error.code },
      });
      return z.NEVER;
    }
  });
}

function jsonSchemaOf(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return rest;
}
