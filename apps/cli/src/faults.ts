import type { RulesetFault } from "@assay/rules";
import type { Paint } from "./paint.ts";

/** Shows faults as compilers do: place, what is wrong, the line and a caret. */
export function showFaults(faults: readonly RulesetFault[], paint: Paint): string {
  return faults.map((fault) => showFault(fault, paint)).join("\n\n");
}

function showFault({ severity, text, message }: RulesetFault, paint: Paint): string {
  const [head = "", ...source] = text.split("\n");
  const place = head.slice(0, head.length - message.length);
  const label = severity === "error" ? paint("red", "error:") : paint("yellow", "warning:");
  const caret = source.pop();
  const painted = caret === undefined ? [] : [...source, paint("cyan", caret)];
  return [`${paint("bold", place)}${label} ${message}`, ...painted].join("\n");
}

/** A fault for programs. */
export function faultJson({ severity, file, line, column, message }: RulesetFault) {
  return { severity, file, line, column, message };
}

/** `1 error`, `3 rulesets`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
