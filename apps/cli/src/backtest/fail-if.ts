import { closestName } from "@assay/protocol";
import type { Summary } from "@assay/rules/backtest";
import { CommandError, EXIT } from "../report.ts";

/** What `--fail-if` can ask for. Rates and their deltas are 0 to 1; a delta is new minus old. */
export const METRICS = [
  "block_rate_delta",
  "challenge_rate_delta",
  "flips",
  "flip_rate",
  "precision_delta",
  "recall_delta",
  "rows",
  "bad_rows",
] as const;

export type Metric = (typeof METRICS)[number];

type Operator = ">" | ">=" | "<" | "<=" | "==" | "!=";

interface Comparison {
  readonly metric: Metric;
  readonly operator: Operator;
  readonly number: number;
}

/** A condition: any of the groups, all comparisons of which hold. */
export type FailIf = readonly (readonly Comparison[])[];

const COMPARISON = /^\s*(\w+)\s*(>=|<=|==|!=|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*$/i;

/** Reads `metric op number` joined by `&&` and `||`, of which `&&` binds tighter. Throws a CommandError. */
export function readFailIf(text: string): FailIf {
  return text.split("||").map((group) => group.split("&&").map(readComparison));
}

/**
 * Whether the condition holds. Throws a CommandError where that hangs on what is not known, such as a precision without
 * labels: a check that cannot be made must not pass.
 */
export function holds(condition: FailIf, values: Readonly<Record<Metric, number | undefined>>): boolean {
  const unknown = new Set<Metric>();
  const results = condition.map((group) => {
    const missing = group.filter(({ metric }) => values[metric] === undefined);
    const known = group.every(({ metric, operator, number }) => {
      const value = values[metric];
      return value === undefined || compare(value, operator, number);
    });
    if (known) for (const { metric } of missing) unknown.add(metric);
    return known && missing.length === 0;
  });
  if (results.includes(true)) return true;
  if (unknown.size === 0) return false;
  const names = [...unknown].join(" and ");
  throw new CommandError(EXIT.usage, `--fail-if asks for ${names}, which these rows do not tell. Give them labels.`);
}

/** The values that `--fail-if` compares. */
export function metricsOf(summary: Summary, badRows: number): Record<Metric, number | undefined> {
  const { rows, flips, blockRate, challengeRate, precision, recall } = summary;
  return {
    block_rate_delta: blockRate?.delta,
    challenge_rate_delta: challengeRate?.delta,
    flips: flips.count,
    flip_rate: rows === 0 ? undefined : flips.count / rows,
    precision_delta: precision.delta,
    recall_delta: recall.delta,
    rows,
    bad_rows: badRows,
  };
}

function readComparison(text: string): Comparison {
  const [, name = "", sign = "", number = ""] = COMPARISON.exec(text) ?? [];
  const metric = METRICS.find((known) => known === name);
  const operator = OPERATORS.find((known) => known === sign);
  if (metric !== undefined && operator !== undefined) return { metric, operator, number: Number(number) };
  if (name === "") {
    throw new CommandError(
      EXIT.usage,
      `--fail-if: "${text.trim()}" is no comparison. Write as in: block_rate_delta > 0.01 && flips > 10`,
    );
  }
  const meant = closestName(name, METRICS);
  const hint = meant === undefined ? `Known are: ${METRICS.join(", ")}.` : `Did you mean ${meant}?`;
  throw new CommandError(EXIT.usage, `--fail-if: ${name} is not known. ${hint}`);
}

const OPERATORS: readonly Operator[] = [">", ">=", "<", "<=", "==", "!="];

function compare(value: number, operator: Operator, number: number): boolean {
  switch (operator) {
    case ">":
      return value > number;
    case ">=":
      return value >= number;
    case "<":
      return value < number;
    case "<=":
      return value <= number;
    case "==":
      return value === number;
    case "!=":
      return value !== number;
  }
}
