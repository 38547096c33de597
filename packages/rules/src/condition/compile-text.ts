import { type Expression, partsOf, type TextTest } from "./expression.ts";
import { MAX_ELEMENT_TEXT, MAX_TEXT } from "./limits.ts";
import { compilePattern } from "./pattern.ts";
import { isOfElement } from "./remember.ts";
import type { SlotValue } from "./slot-value.ts";
import { RECEIVED_AT } from "./slots.ts";
import type { Term } from "./term.ts";

type Of<Kind> = Extract<Expression, { kind: Kind }>;

/** `x.contains("a")` and its like. */
export function compileText(expression: Of<"text">, subject: Term): Term {
  const holds = textTest(expression.test, expression.pattern);
  return ofOne(subject, namesIn(expression.subject), asText(expression.subject, holds));
}

/** `lower(x)` */
export function compileLower({ operand }: Of<"lower">, term: Term): Term {
  return ofOne(
    term,
    namesIn(operand),
    asText(operand, (text) => text.toLowerCase()),
  );
}

/** `age(x)`, in seconds. No event is of 1970: where a vendor has no time to give, it gives 0. */
export function compileAge({ operand }: Of<"age">, term: Term): Term {
  return ofOne(term, namesIn(operand), (time, receivedAt) =>
    typeof time === "number" && typeof receivedAt === "number" && time > 0 ? (receivedAt - time) / 1000 : undefined,
  );
}

/** What a test asks of a text. */
export function textTest(test: TextTest, pattern: string): (text: string) => boolean {
  switch (test) {
    case "startsWith":
      return (text) => text.startsWith(pattern);
    case "endsWith":
      return (text) => text.endsWith(pattern);
    case "contains":
      return (text) => text.includes(pattern);
    case "matches": {
      const compiled = compilePattern(pattern);
      if (typeof compiled === "string") throw new TypeError(compiled);
      return (text) => compiled.test(text);
    }
  }
}

function asText<Result>(subject: Expression, of: (text: string) => Result): (value: SlotValue) => Result | undefined {
  const longest = isOfElement(subject) ? MAX_ELEMENT_TEXT : MAX_TEXT;
  return (value) => (typeof value === "string" && value.length <= longest ? of(value) : undefined);
}

/** A term that is known when its operand is and suits it; where it does not suit, the operand's names are missing. */
export function ofOne(
  operand: Term,
  names: readonly string[],
  of: (value: SlotValue, receivedAt: SlotValue | undefined) => SlotValue | undefined,
): Term {
  const { evaluate } = operand;
  return {
    evaluate: (slots) => {
      const value = evaluate(slots);
      return value === undefined ? undefined : of(value, slots[RECEIVED_AT]);
    },
    explain: operand.explain,
    missing: (slots, paths) => {
      if (evaluate(slots) === undefined) operand.missing(slots, paths);
      else for (const name of names) paths.add(name);
    },
  };
}

/** The paths of the fields that an expression works on. */
export function namesIn(expression: Expression): string[] {
  if (expression.kind === "field") return [expression.field.path];
  return partsOf(expression).flatMap(namesIn);
}
