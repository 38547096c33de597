import { z } from "zod";
import { ACTIONS } from "./actions.ts";
import { CHECK_NAMES } from "./checks.ts";
import { EVENT_SOURCES } from "./event.ts";
import { KINDS } from "./lanes.ts";

/** The value of `schema` in every verdict of this shape. */
export const VERDICT_SCHEMA = "assay.verdict/1";

const Evidence = z.record(z.string(), z.unknown()).describe("Path → value, for exactly the clauses that decided.");

const Reason = z.object({
  rule: z.string(),
  action: z.enum(ACTIONS).optional(),
  score: z.number().optional(),
  message: z.string().optional(),
  evidence: Evidence,
});

const Checks = z.object({
  ...Object.fromEntries(CHECK_NAMES.map((name) => [name, z.boolean().optional()])),
  event_age_seconds: z.number().optional(),
  use_count: z.int().optional(),
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
    ruleset: z.object({ name: z.string(), digest: z.string(), engine: z.string() }),
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
    degraded: z.array(z.string()).optional(),
    late: z.boolean().optional(),
    redrive_of: z.string().optional(),
    would_be: z.enum(ACTIONS).optional().describe("In observe mode: the action enforce mode would have taken."),
  })
  .meta({ id: "Verdict", description: "The answer to one submission. Delivery is at least once: dedupe by id." });

export type Verdict = z.infer<typeof Verdict>;
export type Reason = z.infer<typeof Reason>;
