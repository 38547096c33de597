import type { Scalar } from "yaml";

/**
 * Finds where a character of a scalar's value stands in the YAML text. Folding, indentation and line breaks only change
 * white space, so characters are matched by counting those that are not white space; escapes are decoded.
 */
export function scalarPositions(text: string, scalar: Scalar.Parsed, value: string): (index: number) => number {
  const offsets = inkOffsets(text, scalar);
  return (index) => {
    const inkBefore = value.slice(0, index).replaceAll(/\s/g, "").length;
    const isInk = index < value.length && !/\s/.test(value.charAt(index));
    const last = offsets[inkBefore - 1];
    // White space and the end have no character of their own: they stand after the one before them.
    if (!isInk && last !== undefined) return last + 1;
    return offsets[inkBefore] ?? scalar.range[0];
  };
}

// The offsets of all characters of the value that are not white space, in order.
function inkOffsets(text: string, scalar: Scalar.Parsed): number[] {
  const [start, end] = scalar.range;
  const { type } = scalar;
  if (type === "QUOTE_DOUBLE") {
    return matchOffsets(text, start + 1, end - 1, /\\(?:x[\dA-Fa-f]{2}|u[\dA-Fa-f]{4}|U[\dA-Fa-f]{8}|[\s\S])|\S/g);
  }
  if (type === "QUOTE_SINGLE") return matchOffsets(text, start + 1, end - 1, /''|\S/g);
  // The header of a block (`>-`) stands on a line of its own.
  const isBlock = type === "BLOCK_FOLDED" || type === "BLOCK_LITERAL";
  return matchOffsets(text, isBlock ? text.indexOf("\n", start) : start, end, /\S/g);
}

function matchOffsets(text: string, start: number, end: number, ink: RegExp): number[] {
  return [...text.slice(start, end).matchAll(ink)].flatMap(({ 0: token, index }) =>
    Array.from({ length: inkOf(token) }, () => start + index),
  );
}

// How many characters that are not white space a token stands for. An escaped line break is none.
function inkOf(token: string): number {
  const code = /^\\[xuU](.+)$/.exec(token)?.[1];
  if (code === undefined) return /^\\[\sfnrtvLP_]/.test(token) ? 0 : 1;
  const point = Number.parseInt(code, 16);
  if (point > 0xffff) return 2;
  return /\s/.test(String.fromCharCode(point)) ? 0 : 1;
}
