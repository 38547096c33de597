import type { Expression } from "./expression.ts";
import { besideTexts } from "./text-literal.ts";

const TOKEN = besideTexts(/[()]/);

/** A clause as it is written, with the brackets that open or close inside of it: those of `(a + 1) > (b + 1)`. */
export function clauseText({ at, end }: Pick<Expression, "at" | "end">, text: string): string {
  let opened = 0;
  let unopened = 0;
  for (const [token] of text.slice(at, end).matchAll(TOKEN)) {
    if (token === "(") opened++;
    else if (token === ")" && opened > 0) opened--;
    else if (token === ")") unopened++;
  }
  const before = new RegExp(`(?:\\(\\s*){${unopened}}$`).exec(text.slice(0, at));
  const after = new RegExp(`^(?:\\s*\\)){${opened}}`).exec(text.slice(end));
  return `${before?.[0] ?? ""}${text.slice(at, end)}${after?.[0] ?? ""}`;
}
