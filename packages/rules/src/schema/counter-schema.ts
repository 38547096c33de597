import { LIST_TYPES } from "../condition/list-type.ts";
import { COUNTER_KEYS, COUNTER_ON } from "../ruleset/counters.ts";
import { FACT_TYPES } from "../ruleset/facts.ts";
import { LIST_KEYS, LIST_PATH } from "../ruleset/lists.ts";
import { NAME } from "../ruleset/names.ts";
import { type JsonSchema, mapOf, namedBy, oneOf, text } from "./json-schema.ts";
import { COUNTED } from "./names-schema.ts";
import { condition } from "./rule-schema.ts";

export const DURATION = /^\d{1,9}(?:ms|s|m|h|d)$/;

export const FACTS: JsonSchema = namedBy(
  NAME,
  {
    anyOf: [
      oneOf(FACT_TYPES, "The type of the fact. A list is a list of texts."),
      { description: "The only texts it may be.", type: "array", items: { type: "string", minLength: 1 }, minItems: 1 },
    ],
  },
  "What your backends send in context.facts, by name.",
);

export const LISTS: JsonSchema = namedBy(
  NAME,
  mapOf(
    LIST_KEYS,
    {
      type: oneOf(LIST_TYPES, "What its entries are."),
      file: text(LIST_PATH, "A .txt file by its path from this folder, one entry a line."),
    },
    LIST_KEYS,
  ),
  "Lists that conditions ask by: x in lists.name",
);

export const COUNTERS: JsonSchema = namedBy(
  NAME,
  mapOf(
    COUNTER_KEYS,
    {
      on: oneOf(COUNTER_ON, "What it counts: submissions, or the outcomes told of them. Default submission."),
      key: {
        description: "What it counts by: one name, or a list of up to four.",
        anyOf: [COUNTED, { type: "array", items: COUNTED, minItems: 1, maxItems: 4, uniqueItems: true }],
      },
      distinct: { description: "Counts different values of this name instead.", ...COUNTED },
      where: condition("Counts only what this condition holds for, in CEL."),
      window: text(DURATION, "How far back it counts, from 1s to 90d."),
    },
    ["key", "window"],
  ),
  "Counts that conditions ask for: counters.name > 3",
);
