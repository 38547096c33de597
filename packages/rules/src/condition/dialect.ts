import type { ConditionFault } from "./cel-fault.ts";
import { DIALECT_ROWS, type DialectRow } from "./dialect-rows.ts";
import { withoutTexts } from "./text-literal.ts";

/** A fault about the part of a condition that ends at `end`, not included. */
export interface ForeignFault extends ConditionFault {
  readonly start: number;
  readonly end: number;
}

/** From the first character to the one after the last. */
type Place = readonly [start: number, end: number];

/**
 * What in a condition is of another language, by its place: expr-lang, Cloudflare's, SQL, JavaScript, Python, Stripe
 * Radar's, templates. Each says how conditions write it. Ask only of a condition with a fault.
 */
export function foreignFaults(text: string): ForeignFault[] {
  // What texts hold is no language at all. White space is one space, as a pattern tries every way to share it out.
  const tokens = [...withoutTexts(text).matchAll(/\s+|\S/g)];
  const plain = tokens.map(([token]) => (token.trim() === "" ? " " : token)).join("");
  const placeIn = ([start, end]: Place): Place => [tokens[start]?.index ?? 0, (tokens[end - 1]?.index ?? -1) + 1];
  const found: ForeignFault[] = [];
  for (const row of DIALECT_ROWS) {
    for (const match of plain.matchAll(row.pattern)) {
      const [start, end] = placeIn([match.index, match.index + match[0].length]);
      if (found.some((other) => start < other.end && other.start < end)) continue;
      const word = match.indices?.groups?.["at"];
      const parts = (match.indices ?? []).slice(1).flatMap((place) => {
        // A place without a match is undefined, which its type does not say.
        const isWord = place === undefined || (place[0] === word?.[0] && place[1] === word[1]);
        return isWord ? [] : [text.slice(...placeIn(place))];
      });
      const at = word === undefined ? start : placeIn(word)[0];
      found.push({ start, end, at, message: messageOf(row, text.slice(start, end), parts) });
    }
  }
  return found.toSorted((a, b) => a.at - b.at);
}

function messageOf(row: DialectRow, written: string, parts: readonly string[]): string {
  const fill = (template: string) => template.replaceAll(/\$(\d)/g, (_, number) => parts[Number(number) - 1] ?? "");
  if ("advice" in row) return fill(row.advice);
  return `CEL writes ${typeof row.cel === "string" ? fill(row.cel) : row.cel(...parts)} for ${written.trim()}.`;
}
