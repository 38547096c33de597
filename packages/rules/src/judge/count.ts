import type { Field } from "../condition/catalogue.ts";
import { compile } from "../condition/compile.ts";
import { type Expression, partsOf } from "../condition/expression.ts";
import type { Slots } from "../condition/slot-value.ts";
import { SlotTable } from "../condition/slots.ts";
import { toldBy } from "../ruleset/counter-condition.ts";
import type { Counter } from "../ruleset/counters.ts";
import type { RulesetContent } from "../ruleset/ruleset-content.ts";
import type { CounterUse, Counting, OutcomeCounts } from "./counting.ts";

/**
 * Compiles what the counters of a ruleset ask of shared memory, and names the fields of an event that they read. They
 * ask in the order of their definitions, as what was answered is kept in that order and the order of a file is no part
 * of the ruleset's digest.
 */
export function createCounting({ counters, lists }: Pick<RulesetContent, "counters" | "lists">): {
  readonly counting: Counting;
  readonly eventFields: ReadonlySet<string>;
} {
  const slots = new SlotTable(lists);
  const sorted = counters.toSorted((a, b) => (a.definition < b.definition ? -1 : 1));
  const uses = sorted.map((counter) => compileCounter(counter, slots));
  const counting: Counting = (input) => {
    if (uses.length === 0) return [];
    const values = slots.read(input);
    const asked: CounterUse[] = [];
    for (const use of uses) {
      const found = use(values);
      if (found !== undefined) asked.push(found);
    }
    return asked;
  };
  return { counting, eventFields: slots.eventFields };
}

function compileCounter(counter: Counter, slots: SlotTable): (values: Slots) => CounterUse | undefined {
  const { name, definition, windowMs, distinct } = counter;
  const keyOf = textOf("key", counter.key, slots);
  const distinctOf = distinct && textOf("value", [distinct], slots);
  const counts =
    counter.on === "submission" ? countSubmission(counter.where, slots) : countOutcomes(counter.where, slots);
  return (values) => {
    const key = keyOf(values);
    if (key === undefined) return undefined;
    const told = distinctOf?.(values);
    const isCounted = distinctOf === undefined || told !== undefined;
    const use: CounterUse = {
      name,
      definition,
      windowMs,
      key,
      isDistinct: distinctOf !== undefined,
      counts: counts(values, isCounted),
    };
    // Filled in, as a spread takes longer than all the rest.
    if (told !== undefined) use.distinct = told;
    return use;
  };
}

/** JSON of a list of values, or of one; undefined where one is absent. Counters that ask for the same work it out once. */
function textOf(
  kind: "key" | "value",
  fields: readonly Field[],
  slots: SlotTable,
): (values: Slots) => string | undefined {
  const indexes = fields.map((field) => slots.indexOf(field));
  const place = slots.derived(`${kind} ${fields.map(({ path }) => path).join(" ")}`);
  return (values) => {
    const known = values[place];
    if (typeof known === "string") return known;
    const found = indexes.map((index) => values[index]);
    if (found.includes(undefined)) return undefined;
    const text = JSON.stringify(kind === "key" ? found : found[0]);
    values[place] = text;
    return text;
  };
}

type Counts = (values: Slots, isCounted: boolean) => CounterUse["counts"];

const COUNTS = { on: "submission", now: true } as const;
const COUNTS_NOT = { on: "submission", now: false } as const;

function countSubmission(where: Expression | undefined, slots: SlotTable): Counts {
  const holds = where === undefined ? () => true : compile(where, slots).evaluate;
  return (values, isCounted) => (isCounted && holds(values) === true ? COUNTS : COUNTS_NOT);
}

/** An outcome that a counter's condition tells apart from others. */
interface Case {
  readonly outcome: string | undefined;
  readonly label: string | undefined;
  /** As it stands in the table. */
  readonly pair: string;
}

/** Stands for every outcome that the condition does not name; no outcome can be called so. */
const OTHER = "*";
const LABELS = ["fraud", "legit", undefined];

function countOutcomes(where: Expression | undefined, slots: SlotTable): Counts {
  const told = where === undefined ? [] : toldIn(where);
  const names = [...new Set(told.filter(isOutcome).flatMap(({ literals }) => literals))].toSorted();
  const cases = casesOf(names);
  if (where === undefined) return tableOf(names, cases, () => true);
  const { evaluate } = compile(where, slots);
  const placeOf = (path: string) => {
    const field = told.find((one) => one.field.path === path)?.field;
    return field && slots.indexOf(field);
  };
  const places = { outcome: placeOf("outcome"), label: placeOf("label") };
  const holds = (values: Slots, { outcome, label }: Case) => {
    // A copy, as terms keep what they worked out of one outcome in it.
    const known = values.slice();
    if (places.outcome !== undefined) known[places.outcome] = outcome;
    if (places.label !== undefined) known[places.label] = label;
    return evaluate(known) === true;
  };
  if (!asksOnlyOutcomes(where)) return tableOf(names, cases, holds);
  // Then it is the same for every submission, and working it out takes longer than all other counters together.
  const always = cases.filter((one) => holds([], one)).map(({ pair }) => pair);
  const counts: OutcomeCounts = { on: "outcome", names, pairs: always };
  const countsNot: OutcomeCounts = { on: "outcome", names, pairs: [] };
  return (_, isCounted) => (isCounted ? counts : countsNot);
}

function asksOnlyOutcomes(expression: Expression): boolean {
  if (toldBy(expression) !== undefined) return true;
  const parts = partsOf(expression);
  return parts.length > 0 && parts.every(asksOnlyOutcomes);
}

function tableOf(
  names: readonly string[],
  cases: readonly Case[],
  holds: (values: Slots, one: Case) => boolean,
): (values: Slots, isCounted: boolean) => OutcomeCounts {
  return (values, isCounted) => ({
    on: "outcome",
    names,
    pairs: isCounted ? cases.filter((one) => holds(values, one)).map(({ pair }) => pair) : [],
  });
}

// Every pair of an outcome and a label but the one of neither, which nobody can tell.
function casesOf(names: readonly string[]): Case[] {
  return [...names, OTHER, undefined].flatMap((outcome) =>
    LABELS.filter((label) => outcome !== undefined || label !== undefined).map((label) => ({
      outcome,
      label,
      pair: `${outcome ?? ""}/${label ?? ""}`,
    })),
  );
}

interface Told {
  readonly field: Field;
  readonly literals: readonly string[];
}

function isOutcome({ field }: Told): boolean {
  return field.path === "outcome";
}

function toldIn(expression: Expression): Told[] {
  const told = toldBy(expression);
  if (told === undefined) return partsOf(expression).flatMap(toldIn);
  return [{ field: told.name.field, literals: told.literals.map(({ value }) => String(value)) }];
}
