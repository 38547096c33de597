import { ACTIONS } from "@assay/protocol";
import { RULE_ID } from "../ruleset/rule.ts";
import { TEST_KEYS } from "../ruleset/tests.ts";
import { EXPECT_KEYS } from "../ruleset/tests-expect.ts";
import { type JsonSchema, listOf, mapOf, oneOf, text } from "./json-schema.ts";
import { GIVEN, valuesOf } from "./names-schema.ts";

const IDS = (description: string) => listOf(text(RULE_ID, "The id of a rule."), description);

export const TESTS: JsonSchema = listOf(
  mapOf(
    TEST_KEYS,
    {
      name: { description: "What it promises.", type: "string", minLength: 1 },
      given: { description: "Signals by name, dotted or nested. All others are absent.", ...GIVEN },
      context: { description: "What the caller observed.", ...valuesOf("context") },
      facts: { description: "Facts by name.", type: ["object", "null"] },
      checks: { description: "Checks by name.", ...valuesOf("checks") },
      counters: { description: "Values of counters by name.", type: ["object", "null"] },
      expect: {
        description: "What must come out.",
        ...mapOf(EXPECT_KEYS, {
          action: oneOf(ACTIONS, "The action; in observe mode the one that would be taken."),
          score: { description: "The score.", type: "number" },
          rules: IDS("All rules that hit, in any order."),
          shadow: IDS("All rules in shadow that would have hit."),
          unknown: IDS("All rules that cannot be judged."),
        }),
        minProperties: 1,
      },
    },
    ["name", "expect"],
  ),
  "Inputs, and what must come of them. Failing tests keep the ruleset from being used.",
);
