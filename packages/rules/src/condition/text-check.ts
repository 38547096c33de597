import { type Expression, partsOf } from "./expression.ts";
import { MAX_SOUGHT } from "./limits.ts";
import { compilePattern } from "./pattern.ts";
import type { ConditionScope } from "./condition-scope.ts";

type Of<Kind> = Extract<Expression, { kind: Kind }>;

/** Whether a test of a text can go both ways. Records a fault when it cannot. */
export function checkText(expression: Of<"text">, scope: ConditionScope): boolean {
  const message = faultOfText(expression);
  if (message === undefined) return true;
  const { end } = expression.subject;
  const call = /^[\s)]*\.\s*\w+\s*\(\s*/.exec(scope.text.slice(end));
  scope.fault(end + (call?.[0].length ?? 0), message);
  return false;
}

function faultOfText({ test, subject, pattern }: Of<"text">): string | undefined {
  if (pattern === "") return "An empty text is found in every text. Ask has() whether there is one.";
  if (test === "matches") {
    const compiled = compilePattern(pattern);
    if (typeof compiled === "string") return compiled;
    return subject.kind === "lower" && asksCapitals(pattern)
      ? "lower() gives small letters only, so the capitals of this pattern are never found. Write small ones."
      : undefined;
  }
  if (pattern.length > MAX_SOUGHT) return `At most ${MAX_SOUGHT} characters can be looked for.`;
  return subject.kind === "lower" ? faultOfLower(pattern) : undefined;
}

// Classes, groups and escapes may hold capitals that stand for something else.
function asksCapitals(pattern: string): boolean {
  return (
    !/\(\?[a-z]*i/.test(pattern) &&
    /[A-Z]/.test(pattern.replaceAll(/\\(?:[pP]\{[^}]*\}|.)|\[\^[^\]]*\]|\(\?P?<\w+>/gs, ""))
  );
}

/** What is wrong with a literal that is compared with `lower(…)`. */
export function faultOfLower(text: string): string | undefined {
  const lower = text.toLowerCase();
  if (text === lower) return undefined;
  return `lower() gives small letters only: write ${JSON.stringify(lower)}.`;
}

/** Whether `age()` is asked of a time. Records a fault when it is not. */
export function checkAge({ operand }: Of<"age">, scope: ConditionScope): boolean {
  const fields = fieldsIn(operand);
  const other = fields.find(({ isTime, root }) => isTime !== true && root !== "facts");
  if (fields.length > 0 && other === undefined) return true;
  const what = other === undefined ? "this is not one" : `${other.path} is not one`;
  const times = [...scope.catalogue.fields.values()].filter(({ isTime }) => isTime).map(({ path }) => path);
  scope.fault(
    operand.at,
    `age() asks how long ago a time is, and ${what}. Times are ${times.join(", ")}, and facts in unix ms.`,
  );
  return false;
}

function fieldsIn(expression: Expression): Of<"field">["field"][] {
  return expression.kind === "field" ? [expression.field] : partsOf(expression).flatMap(fieldsIn);
}
