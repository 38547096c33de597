import { ACTIONS } from "@assay/protocol";
import { INTEGRITY_ACTIONS, INTEGRITY_KEYS } from "./ruleset/integrity.ts";
import { PART_KEYS, PART_PATH, RULESET_KEYS } from "./ruleset/part.ts";
import { MODES, NAME } from "./ruleset/ruleset-content.ts";
import { EVENT_USES, FLOW_PATTERN, SETTING_KEYS } from "./ruleset/settings.ts";
import { THRESHOLD_KEYS } from "./ruleset/thresholds.ts";
import { UNDECIDED_KEYS } from "./ruleset/undecided-actions.ts";
import { COUNTERS, DURATION, FACTS, LISTS } from "./schema/counter-schema.ts";
import { DRAFT, eachOf, type JsonSchema, listOf, mapOf, namedBy, oneOf, orEmpty, text } from "./schema/json-schema.ts";
import { SIGNAL } from "./schema/names-schema.ts";
import { RULES } from "./schema/rule-schema.ts";
import { TESTS } from "./schema/test-schema.ts";

const SCORE: JsonSchema = { type: "number", minimum: 1, maximum: 100_000 };
const AGE = text(DURATION, "The oldest event that is not stale, up to 30d.");

const SETTINGS: JsonSchema = orEmpty({
  description: "What the checks of a submission are judged by.",
  ...mapOf(SETTING_KEYS, {
    max_event_age: AGE,
    max_event_age_by_flow: namedBy(FLOW_PATTERN, AGE, "The same for single flows."),
    allowed_origins: texts("Origins that events may come from, as in https://shop.example. Empty is not judged."),
    allowed_apps: texts("iOS bundle ids and Android package names that events may come from."),
    allowed_environments: texts("Environments of Fingerprint that events may come from."),
    event_use: oneOf(EVENT_USES, "Whether an event serves once in every flow, or once at all. Default per_flow."),
  }),
});

const PART = { facts: FACTS, lists: LISTS, counters: COUNTERS, rules: RULES, tests: TESTS };

/** A JSON Schema of a ruleset's file, for editors. The loader checks more: what conditions say, and other files. */
export function rulesetSchema(): JsonSchema {
  const ruleset = {
    ruleset: text(NAME, "The name of the ruleset."),
    mode: oneOf(MODES, "observe always allows and tells in would_be what it would do. Default enforce."),
    candidate: text(NAME, "Another ruleset that is judged beside this one and only told."),
    include: listOf(text(PART_PATH, "A part beside this file."), "Files of facts, lists, counters, rules and tests."),
    settings: SETTINGS,
    thresholds: eachOf(THRESHOLD_KEYS, SCORE, "The least score that takes each action; they must rise."),
    integrity: eachOf(
      INTEGRITY_KEYS,
      oneOf(INTEGRITY_ACTIONS, "Taken when it is true."),
      "What to do about an event that is not fresh, unused and the visitor's own.",
    ),
    undecided: eachOf(
      UNDECIDED_KEYS,
      oneOf(ACTIONS, "Taken for this code."),
      "What to do where nothing can be decided.",
    ),
    expose: listOf(SIGNAL, "Signals that the verdict shows."),
    ...PART,
  };
  return { $schema: DRAFT, title: "A ruleset of Assay", ...mapOf(RULESET_KEYS, ruleset, ["ruleset"]) };
}

/** A JSON Schema of a part that rulesets include. */
export function partSchema(): JsonSchema {
  return { $schema: DRAFT, title: "A part of rulesets of Assay", ...orEmpty(mapOf(PART_KEYS, PART)) };
}

/** A JSON Schema of `_routes.yaml`. */
export function routesSchema(): JsonSchema {
  const route = text(NAME, "The ruleset that decides this flow.");
  return {
    $schema: DRAFT,
    title: "Routes of Assay",
    ...namedBy(new RegExp(`${FLOW_PATTERN.source}|^\\*$`), route, "The ruleset of each flow; '*' is every other flow."),
  };
}

function texts(description: string): JsonSchema {
  return listOf({ type: "string", minLength: 1 }, description);
}
