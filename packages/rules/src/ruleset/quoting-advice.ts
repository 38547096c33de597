import { isScalar, parseDocument } from "yaml";

const ENTRY_LINE = /^(\s*(?:-\s+)?)([a-z_]+):\s+(\S.*?)\s*$/;
const CONDITION_KEYS = ["when", "except", "where"];

/**
 * What to write instead of a line whose value YAML misreads: the line quoted, or as a block (`>-`) when it holds both
 * kinds of quotes. The same for the route of all other flows. Begins with a space; empty for lines that YAML reads as
 * they are written, where quotes would mend nothing.
 */
export function quotingAdvice(line: string): string {
  const others = /^\s*\*:\s*(\S+)/.exec(line)?.[1];
  if (others !== undefined) return ` Quote it: '*': ${others}`;
  const [, indent = "", key = "", value] = ENTRY_LINE.exec(line) ?? [];
  const isCondition = CONDITION_KEYS.includes(key);
  if (value === undefined || (!isCondition && /^[[{]/.test(value))) {
    return /\b(?:when|except|where):/.test(line) ? " Put the condition in quotes." : "";
  }
  if (/^[>|]/.test(value) || isReadAsWritten(key, value)) return "";
  const what = isCondition ? "condition" : "text";
  const written = isQuotedTwice(value) ? value.slice(1, -1) : value;
  if (!/["\\]/.test(written)) return ` Quote the ${what}: ${key}: "${written}"`;
  if (!written.includes("'")) return ` Quote the ${what}: ${key}: '${written}'`;
  return ` Write the ${what} as a block:\n${indent}${key}: >-\n${indent.replace("-", " ")}  ${written}`;
}

function isReadAsWritten(key: string, value: string): boolean {
  const document = parseDocument(`${key}: ${value}`, { prettyErrors: false });
  if (document.errors.length > 0) return false;
  const read = document.get(key, true);
  return isScalar(read) && (read.source ?? read.value) === value && !read.comment;
}

// `"bot == "bad""` was meant to be quoted, and is so by quotes of the other kind.
function isQuotedTwice(value: string): boolean {
  return /^"\w.*""$/.test(value) || /^'\w.*''$/.test(value);
}
