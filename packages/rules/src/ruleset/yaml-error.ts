import type { YAMLError } from "yaml";
import type { FaultList } from "./fault.ts";
import { quotingAdvice } from "./quoting-advice.ts";

/** What is wrong where YAML cannot be read, in the words of somebody who writes rules, and where. */
export function describeYamlError(
  { code, message, pos: [at] }: YAMLError,
  faults: FaultList,
): { at: number; message: string } {
  const line = faults.lineAt(at);
  if (code === "DUPLICATE_KEY") {
    const name = /^[^\s:]+/.exec(faults.text.slice(at))?.[0] ?? "This key";
    return { at, message: `${name} stands twice in one map. Remove one of them.` };
  }
  if (code === "TAB_AS_INDENT") return { at, message: "Here is a tab. YAML is indented with spaces only." };
  if (code === "BLOCK_AS_IMPLICIT_KEY" || code === "MULTILINE_IMPLICIT_KEY") {
    return { at, message: describeColon(line) + quotingAdvice(line) };
  }
  if (code === "MISSING_CHAR" && message.startsWith("Sequence item")) {
    return {
      at,
      message: "This line is indented neither like the keys above it nor like a new item, which begins with -.",
    };
  }
  const open = code === "BAD_INDENT" && message.startsWith("Flow ") ? openBracket(faults.text, at) : undefined;
  if (open !== undefined) {
    const [bracket, closing] = faults.text.charAt(open) === "[" ? ["[", "]"] : ["{", "}"];
    const wrong = `This ${bracket} has no ${closing} that closes it.`;
    return { at: open, message: wrong + quotingAdvice(faults.lineAt(open)) };
  }
  return { at, message: `${message}.${quotingAdvice(line)}` };
}

// `a: b: c`, or `a: b` above a line that is indented deeper: YAML cannot tell them apart.
function describeColon(line: string): string {
  const [, value = ""] = /^\s*(?:-\s+)?[^\s:]+:\s+(.*)$/.exec(line) ?? [];
  if (/:(?:\s|$)/.test(value)) return "A colon before a space ends a key, so YAML reads two keys in this line.";
  return "The next line is indented deeper than this one. Keys of one map stand in one column.";
}

// An open bracket is reported where the next key stands; it is the bracket that is to be closed or quoted.
function openBracket(text: string, end: number): number | undefined {
  const before = text.slice(0, end);
  const at = Math.max(before.lastIndexOf("["), before.lastIndexOf("{"));
  return at === -1 ? undefined : at;
}
