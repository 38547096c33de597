import { namesIn, ofOne } from "./compile-text.ts";
import { bounded, describeElements } from "./evidence.ts";
import type { Expression } from "./expression.ts";
import { MAX_ELEMENT_TEXT, MAX_ELEMENTS } from "./limits.ts";
import { isOfElement, remember } from "./remember.ts";
import type { Slots, SlotValue } from "./slot-value.ts";
import { type SlotTable } from "./slots.ts";
import type { Term } from "./term.ts";

type Of<Kind> = Extract<Expression, { kind: Kind }>;

/** `x in lists.name` */
export function compileListed(expression: Of<"listed">, term: Term, slots: SlotTable): Term {
  const { item, list: name } = expression;
  const list = slots.list(name);
  const longest = isOfElement(item) ? MAX_ELEMENT_TEXT : Number.POSITIVE_INFINITY;
  const find = (value: SlotValue, receivedAt: SlotValue | undefined) =>
    typeof value === "string" && value.length > longest ? undefined : list.find(value, Number(receivedAt));
  const entry = remember(ofOne(term, namesIn(item), find), expression, slots);
  return {
    evaluate: (values) => {
      const found = entry.evaluate(values);
      return found === undefined ? undefined : found !== false;
    },
    explain: (values, evidence) => {
      term.explain(values, evidence);
      const found = entry.evaluate(values);
      if (typeof found === "string") evidence[`lists.${name}`] = bounded(found);
    },
    missing: entry.missing,
  };
}

/** `"vip" in facts.tags` */
export function compileIncludes({ item, field }: Of<"includes">, slots: SlotTable): Term {
  const index = slots.indexOf(field);
  const { path } = field;
  const elementsOf = (values: Slots) => {
    const list = values[index];
    return typeof list === "object" && list.length <= MAX_ELEMENTS ? list : undefined;
  };
  return {
    evaluate: (values) => elementsOf(values)?.includes(item.value),
    explain: (values, evidence) => {
      const list = elementsOf(values) ?? [];
      const at = list.indexOf(item.value);
      if (at === -1) evidence[path] = describeElements(list.length);
      else evidence[`${path}[${at}]`] = bounded(item.value);
    },
    missing: (_, paths) => {
      paths.add(path);
    },
  };
}
