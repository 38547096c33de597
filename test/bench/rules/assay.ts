import { celOf } from "./cel-library.ts";
import type { BenchRule } from "./forty-rules.ts";

/** The rules as a ruleset's text. */
export function rulesetOf(rules: readonly BenchRule[]): string {
  return [
    "ruleset: bench",
    "facts: { order_value_eur: number, account_age_days: number, orders: number, delivery: [parcel, digital] }",
    "thresholds: { challenge: 30, review: 50, block: 80 }",
    "rules:",
    ...rules.map(
      ({ id, score, when }) =>
        `  - { id: ${id}, score: ${score}, when: ${JSON.stringify(celOf(when, (path) => path))} }`,
    ),
  ].join("\n");
}
