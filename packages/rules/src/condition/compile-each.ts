import { isRecord } from "@assay/protocol";
import type { Field } from "./catalogue.ts";
import { describeElements } from "./evidence.ts";
import { type Expression, type Macro, partsOf } from "./expression.ts";
import { MAX_ELEMENTS } from "./limits.ts";
import { placesOfElement } from "./remember.ts";
import type { Slots, SlotValue } from "./slot-value.ts";
import { fitterOf, type SlotTable } from "./slots.ts";
import type { Evidence, Term } from "./term.ts";

type Each = Extract<Expression, { kind: "each" }>;

/**
 * `list.exists(e, …)`, `all` and `exists_one`: the condition is evaluated for each element, whose values are put into
 * the places of its fields. Known as soon as no other element can change it.
 */
export function compileEach({ macro, field, condition }: Each, inner: Term, slots: SlotTable): Term {
  const index = slots.indexOf(field);
  const enter = placing(elementFields(condition), placesOfElement(condition, slots), slots);
  const { decisive, enough } = deciding(macro);
  return {
    evaluate: (values) => {
      const list = elementsOf(values[index]);
      if (list === undefined) return undefined;
      let found = 0;
      let isKnown = true;
      for (const element of list) {
        enter(element, values);
        const result = inner.evaluate(values);
        if (result === undefined) isKnown = false;
        else if (result === decisive && ++found === enough) return macro === "exists";
      }
      if (!isKnown) return undefined;
      return macro === "exists_one" ? found === 1 : !decisive;
    },
    explain: (values, evidence) => {
      const list = elementsOf(values[index]) ?? [];
      const outer: Evidence = {};
      let found = 0;
      for (const [at, element] of list.entries()) {
        enter(element, values);
        const result = inner.evaluate(values);
        if (result === undefined) continue;
        const own: Evidence = {};
        inner.explain(values, own);
        let isNamed = false;
        for (const [name, value] of Object.entries(own)) {
          const placed = name.replace(`${field.path}[]`, `${field.path}[${at}]`);
          if (placed !== name) isNamed = true;
          if (result === decisive) evidence[placed] = value;
          else if (placed === name) outer[name] = value;
        }
        // Nothing of the element decided but that there is one.
        if (result === decisive && !isNamed) evidence[field.path] = describeElements(list.length);
        if (result === decisive && ++found === enough) return;
      }
      Object.assign(evidence, outer);
      evidence[field.path] = describeElements(list.length);
    },
    missing: (values, paths) => {
      const list = elementsOf(values[index]);
      if (list === undefined) paths.add(field.path);
      for (const element of list ?? []) {
        enter(element, values);
        if (inner.evaluate(values) === undefined) inner.missing(values, paths);
      }
    },
  };
}

// What an element must be, and how many of them it takes, to settle the result without the others.
function deciding(macro: Macro): { readonly decisive: boolean; readonly enough: number } {
  switch (macro) {
    case "exists":
      return { decisive: true, enough: 1 };
    case "all":
      return { decisive: false, enough: 1 };
    case "exists_one":
      return { decisive: true, enough: 2 };
  }
}

function elementsOf(value: SlotValue | undefined): readonly unknown[] | undefined {
  return typeof value === "object" && value.length <= MAX_ELEMENTS ? value : undefined;
}

function elementFields(expression: Expression): Field[] {
  const isNamed = expression.kind === "field" || expression.kind === "has";
  const own = isNamed && expression.field.root === "element" ? [expression.field] : [];
  return [...own, ...partsOf(expression).flatMap(elementFields)];
}

// Puts the values of one element into their places, and forgets what was worked out of the one before.
function placing(
  fields: readonly Field[],
  remembered: readonly number[],
  slots: SlotTable,
): (element: unknown, values: Slots) => void {
  const leaves = fields.map((field) => ({ index: slots.indexOf(field), keys: field.keys, fits: fitterOf(field) }));
  return (element, values) => {
    for (const { index, keys, fits } of leaves) {
      let value = element;
      for (const key of keys) value = isRecord(value) ? value[key] : undefined;
      values[index] = fits(value);
    }
    for (const place of remembered) values[place] = undefined;
  };
}
