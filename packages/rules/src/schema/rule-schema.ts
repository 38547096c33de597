import { ACTIONS } from "@assay/protocol";
import { RULE_ID, RULE_KEYS, RULE_MODES, WHEN_UNKNOWN } from "../ruleset/rule.ts";
import { type JsonSchema, listOf, mapOf, oneOf, text } from "./json-schema.ts";

const LINE = /^.{1,256}$/;

/** A condition of CEL. What it may name is checked when it is loaded. */
export function condition(description: string): JsonSchema {
  return { description, type: "string", minLength: 1, maxLength: 4096 };
}

export const RULES: JsonSchema = listOf(
  {
    ...mapOf(
      RULE_KEYS,
      {
        id: text(RULE_ID, "Names the rule in verdicts and metrics."),
        when: condition("The condition of a hit, in CEL."),
        except: condition("A condition under which the rule does not hit."),
        score: { description: "Added to the score by a hit.", type: "number", minimum: -100, maximum: 100 },
        action: oneOf(ACTIONS, "Taken by a hit. allow silences all other rules."),
        message: text(LINE, "Tells people what a hit means."),
        when_unknown: oneOf(WHEN_UNKNOWN, "Taken when a signal that matters is absent. Default skip."),
        mode: oneOf(RULE_MODES, "shadow tells what it would do, off does nothing. Default live."),
        rollout: text(
          /^\d{1,3}(?:\.\d{1,6})?%$/,
          "Share of visitors it is live for, as in 10%; in shadow for the others.",
        ),
        owner: text(LINE, "Who answers for the rule."),
        review_by: text(/^\d{4}-\d{2}-\d{2}$/, "The day by which it wants to be looked at again, as in 2027-03-01."),
        tags: listOf(text(/^.{1,64}$/, "A word to find the rule by."), "Words to find the rule by."),
      },
      ["id", "when"],
    ),
    anyOf: [{ required: ["score"] }, { required: ["action"] }],
  },
  "In any order: order never changes a decision.",
);
