const CONDITION_LINE = /^(\s*(?:-\s+)?)(when|except|where):\s+(\S.*?)\s*$/;

/**
 * What to write instead of a line whose condition YAML misreads: the line quoted, or as a block (`>-`) when it holds
 * both kinds of quotes. The same for the route of all other flows. Begins with a space; empty for other lines.
 */
export function quotingAdvice(line: string): string {
  const others = /^\s*\*:\s*(\S+)/.exec(line)?.[1];
  if (others !== undefined) return ` Quote it: '*': ${others}`;
  const [, indent = "", key = "", condition] = CONDITION_LINE.exec(line) ?? [];
  if (condition === undefined) return /\b(?:when|except|where):/.test(line) ? " Put the condition in quotes." : "";
  if (condition.startsWith(">") || condition.startsWith("|")) return "";
  if (!/["\\]/.test(condition)) return ` Quote the condition: ${key}: "${condition}"`;
  if (!condition.includes("'")) return ` Quote the condition: ${key}: '${condition}'`;
  return ` Write the condition as a block:\n${indent}${key}: >-\n${indent.replace("-", " ")}  ${condition}`;
}
