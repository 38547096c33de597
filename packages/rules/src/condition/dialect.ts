import type { ConditionFault } from "./cel-fault.ts";
import { DIALECT_ROWS, type DialectRow } from "./dialect-rows.ts";

/** A fault about the part of a condition that ends at `end`, not included. */
export interface ForeignFault extends ConditionFault {
  readonly start: number;
  readonly end: number;
}

const TEXT = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/g;

/**
 * What in a condition is of another language, by its place: expr-lang, Cloudflare's, SQL, JavaScript, Python, Stripe
 * Radar's, templates. Each says how conditions write it. Ask only of a condition with a fault.
 */
export function foreignFaults(text: string): ForeignFault[] {
  // What texts hold is no language at all.
  const plain = text.replaceAll(TEXT, (literal) => `${literal[0]}${"_".repeat(literal.length - 2)}${literal[0]}`);
  const found: ForeignFault[] = [];
  for (const row of DIALECT_ROWS) {
    for (const match of plain.matchAll(row.pattern)) {
      const start = match.index;
      const end = start + match[0].length;
      if (found.some((other) => start < other.end && other.start < end)) continue;
      found.push({ start, end, at: match.indices?.groups?.["at"]?.[0] ?? start, message: messageOf(row, match, text) });
    }
  }
  return found.toSorted((a, b) => a.at - b.at);
}

function messageOf(row: DialectRow, { index, 0: all, indices, groups }: RegExpExecArray, text: string): string {
  const written = text.slice(index, index + all.length);
  const [from, to] = groups?.["at"] === undefined ? [] : (indices?.groups?.["at"] ?? []);
  const parts = (indices ?? []).slice(1).flatMap((place) => {
    const [start, end] = place ?? [];
    return start === undefined || (start === from && end === to) ? [] : [text.slice(start, end)];
  });
  const fill = (template: string) => template.replaceAll(/\$(\d)/g, (_, number) => parts[Number(number) - 1] ?? "");
  if ("advice" in row) return fill(row.advice);
  return `CEL writes ${typeof row.cel === "string" ? fill(row.cel) : row.cel(...parts)} for ${written.trim()}.`;
}
