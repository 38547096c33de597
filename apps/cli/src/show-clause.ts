import type { ClauseExplanation } from "@assay/rules";
import type { Paint } from "./paint.ts";

const LONGEST_VALUE = 80;

/** A clause and those it is made of, one a line: how it came out, its text, and the values in it. */
export function showClause(clause: ClauseExplanation, paint: Paint, depth = 0): string[] {
  const { text, result, values, clauses } = clause;
  const label = paint(result === "unknown" ? "yellow" : result ? "green" : "dim", String(result).padEnd(7));
  const shown = clauses.length === 0 ? showValues(values) : "";
  const indent = "  ".repeat(depth);
  return [
    `${label}  ${indent}${text.replaceAll(/\s+/g, " ")}${shown === "" ? "" : `  ${paint("dim", shown)}`}`,
    ...clauses.flatMap((inner) => showClause(inner, paint, depth + 1)),
  ];
}

/** `bot: "bad", vpn: absent`. Long values are cut. */
export function showValues(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}: ${showValue(value)}`)
    .join(", ");
}

function showValue(value: unknown): string {
  if (value === undefined) return "absent";
  const text = JSON.stringify(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}
