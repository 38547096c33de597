import { type Expression, partsOf } from "../condition/expression.ts";

/** What is only known after the counters have counted. */
const KNOWN_LATER = new Set(["checks.reused", "checks.reused_elsewhere", "checks.use_count"]);

const OUTCOME = /^[a-z0-9_-]{1,64}$/;

/** Names the faults of a counter's `where` that lie in when it is judged; whether there are none. */
export function checkCounterCondition(
  expression: Expression,
  on: "submission" | "outcome",
  fault: (at: number, message: string) => void,
): boolean {
  let isFine = true;
  const refuse = (at: number, message: string) => {
    isFine = false;
    fault(at, message);
  };
  visit(expression, on, refuse);
  return isFine;
}

function visit(expression: Expression, on: "submission" | "outcome", refuse: (at: number, message: string) => void) {
  const told = toldBy(expression);
  if (told === undefined) {
    if (expression.kind === "field" || expression.kind === "has") checkField(expression, on, refuse);
    for (const part of partsOf(expression)) visit(part, on, refuse);
    return;
  }
  const { path } = told.name.field;
  if (on === "submission") refuse(told.name.at, `${path} is told later. Set on: outcome to count outcomes.`);
  for (const { value, at } of told.literals) {
    if (path !== "outcome" || (typeof value === "string" && OUTCOME.test(value))) continue;
    refuse(at, "An outcome is 1 to 64 characters of a-z, 0-9, _ and -, so it is never this.");
  }
}

type Named = Extract<Expression, { kind: "field" | "has" }>;

/** The outcome or label that an expression asks for, in a way that a table can hold, and what it is compared with. */
export function toldBy(
  expression: Expression,
): { name: Named; literals: readonly Extract<Expression, { kind: "literal" }>[] } | undefined {
  if (expression.kind === "has" && isTold(expression)) return { name: expression, literals: [] };
  if (expression.kind === "in" && isTold(expression.item)) return { name: expression.item, literals: expression.list };
  if (expression.kind !== "compare") return undefined;
  const [left, right] = expression.sides;
  if (isTold(left) && right.kind === "literal") return { name: left, literals: [right] };
  return isTold(right) && left.kind === "literal" ? { name: right, literals: [left] } : undefined;
}

function isTold(expression: Expression): expression is Named {
  return (expression.kind === "field" || expression.kind === "has") && expression.field.root === "outcome";
}

function checkField({ field, at }: Named, on: string, refuse: (at: number, message: string) => void): void {
  if (field.root === "counters" || KNOWN_LATER.has(field.path)) {
    refuse(at, `${field.path} is not known yet when counters count.`);
  } else if (field.root === "outcome") {
    const later = on === "submission" ? " Set on: outcome to count outcomes." : "";
    refuse(at, `${field.path} can only be compared with texts by ==, != or in, or asked for by has().${later}`);
  }
}
