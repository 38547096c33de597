import { z } from "zod";
import { ACTIONS } from "./actions.ts";
import type { Checks as ChecksType } from "./checks.ts";
import { EVENT_SOURCES } from "./event.ts";
import { KINDS } from "./lanes.ts";

/** The value of `schema` in every verdict of this shape. */
const VERDICT_SCHEMA = "assay.verdict/1";

const Evidence = z.record(z.string(), z.unknown()).describe("Path → value, for exactly the clauses that decided.");

const Reason = z.object({
  rule: z.string(),
  action: z.enum(ACTIONS).optional(),
  score: z.number().optional(),
  message: z.string().optional(),
  evidence: Evidence,
});

const flag = z.boolean().optional();

const Checks = z.object({
  stale: flag,
  reused: flag,
  reused_elsewhere: flag,
  ip_mismatch: flag,
  linked_id_mismatch: flag,
  visitor_id_mismatch: flag,
  origin_mismatch: flag,
  user_agent_mismatch: flag,
  origin_not_allowed: flag,
  app_not_allowed: flag,
  environment_not_allowed: flag,
  event_id_mismatch: flag,
  partial: flag,
  event_age_seconds: z.number().optional(),
  use_count: z.int().optional(),
} satisfies Record<keyof ChecksType, z.ZodType>);

const RulesetName = z.object({ name: z.string(), digest: z.string(), engine: z.string() });

const Candidate = z.object({
  ruleset: RulesetName,
  action: z.enum(ACTIONS).describe("The action it would have taken, were it the one that decides and in enforce mode."),
  score: z.number().min(0),
  rules: z.array(z.string()).describe("Every rule and integrity entry of it that fired."),
});

/** One verdict, the answer to one submission. Fields that do not apply are absent, never null. */
export const Verdict = z
  .object({
    schema: z.literal(VERDICT_SCHEMA),
    id: z.string().describe("Submission id."),
    kind: z.enum(KINDS),
    action: z.enum(ACTIONS),
    score: z.number().min(0),
    reasons: z.array(Reason).describe("Every rule and integrity entry that fired."),
    shadow: z.array(Reason).describe("Rules in shadow that would have fired."),
    unknown: z
      .array(z.object({ rule: z.string(), missing: z.array(z.string()) }))
      .describe("Rules that could not be judged, and what they lacked."),
    checks: Checks.describe("True is suspicious; absent could not be judged."),
    coverage: z.object({ rules: z.int(), judged: z.int() }),
    ruleset: RulesetName,
    received_at: z.int().describe("Unix ms."),
    decided_at: z.int().describe("Unix ms."),
    event_id: z.string().optional(),
    visitor_id: z.string().optional(),
    linked_id: z.string().optional(),
    platform: z.string().optional(),
    event_source: z.enum(EVENT_SOURCES).optional(),
    event_time: z.int().optional().describe("Unix ms."),
    context: z
      .object({ flow: z.string().optional(), user_id: z.string().optional(), reference: z.string().optional() })
      .optional(),
    signals: z.record(z.string(), z.unknown()).optional().describe("Signals the ruleset exposes."),
    undecided: z
      .object({ code: z.string().describe("Why it could not be judged. Accept codes you do not know.") })
      .optional(),
    degraded: z
      .array(z.string())
      .optional()
      .describe("clock_skew, or counter_warming:<name>. Accept words you do not know."),
    test: z
      .literal(true)
      .optional()
      .describe("The answer to a test event: it counts nowhere, and consumers get it only where they ask for tests."),
    late: z.boolean().optional(),
    redrive_of: z
      .string()
      .optional()
      .describe("The submission that could not be opened, and was handed in again from its dead letter."),
    would_be: z.enum(ACTIONS).optional().describe("In observe mode: the action enforce mode would have taken."),
    candidate: Candidate.optional().describe("What the ruleset's candidate says of the same event and context."),
  })
  .meta({ id: "Verdict", description: "The answer to one submission. Delivery is at least once: dedupe by id." });

export type Verdict = z.infer<typeof Verdict>;
export type Reason = z.infer<typeof Reason>;
