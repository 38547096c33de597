import { type Catalogue, createCatalogue, fieldIn } from "../src/condition/catalogue.ts";
import { createCelEnvironment } from "../src/condition/cel-environment.ts";
import { compile } from "../src/condition/compile.ts";
import { readCondition } from "../src/condition/condition.ts";
import type { Expression } from "../src/condition/expression.ts";
import type { Input } from "../src/condition/input.ts";
import { createList, type List } from "../src/condition/list.ts";
import type { ListType } from "../src/condition/list-type.ts";
import { readExpression } from "../src/condition/read-expression.ts";
import type { SlotValue } from "../src/condition/slot-value.ts";
import { SlotTable } from "../src/condition/slots.ts";
import type { Evidence } from "../src/condition/term.ts";
import { replaceWindowKeys } from "../src/condition/window-keys.ts";

const FACTS = [
  fieldIn("facts", "email", "string"),
  fieldIn("facts", "amount", "number"),
  fieldIn("facts", "member", "boolean"),
  fieldIn("facts", "tags", "array"),
];

/** A list of each type. The last entry of `devices` ended in 2020. */
export const LISTS: readonly { readonly name: string; readonly type: ListType; readonly list: List }[] = [
  listOf("devices", "string", ["friend"]),
  listOf("offices", "cidr", ["10.0.0.0/8", "2001:db8::/32"]),
  listOf("networks", "asn", ["AS7922"]),
  listOf("embargoed", "country", ["KP"]),
  listOf("throwaway", "email_domain", ["mail.test"]),
];

function listOf(name: string, type: ListType, texts: readonly string[]) {
  const ended = { text: "former", untilMs: Date.UTC(2020, 0, 1) };
  const entries = texts.map((text) => ({ text }));
  return { name, type, list: createList(type, type === "string" ? [...entries, ended] : entries) };
}

/** Names with a fact of each type, a counter and a list of each type. */
export const CATALOGUE: Catalogue = createCatalogue({ facts: FACTS, counters: ["logins"], lists: LISTS });

const ENVIRONMENT = createCelEnvironment(CATALOGUE);

/** What is read of a condition, and its faults as `offset message`. */
export function read(text: string): { expression: Expression | undefined; faults: string[] } {
  const faults: string[] = [];
  const fault = (at: number, message: string) => faults.push(`${at} ${message}`);
  return { expression: readCondition({ text, catalogue: CATALOGUE, fault }, ENVIRONMENT), faults };
}

/** An expression as it is written, without a look at whether it makes sense. */
export function readUnchecked(text: string): Expression {
  const fault = (at: number, message: string) => {
    throw new TypeError(`${at} ${message} ${text}`);
  };
  const expression = readExpression(ENVIRONMENT.parse(replaceWindowKeys(text)).ast, {
    text,
    catalogue: CATALOGUE,
    fault,
  });
  if (expression === undefined) throw new TypeError(`This has no fault and cannot be read: ${text}`);
  return expression;
}

/** How an expression comes out for an input: its value, what explains it, and what it lacks when it is unknown. */
export interface Outcome {
  readonly value: SlotValue | undefined;
  readonly evidence: Evidence;
  readonly missing: readonly string[];
}

/** Compiles an expression for `outcome`s of many inputs. */
export function compiled(expression: Expression): (input: Input) => Outcome {
  const slots = new SlotTable(LISTS);
  const term = compile(expression, slots);
  return (input) => {
    const values = slots.read(input);
    const value = term.evaluate(values);
    const evidence: Evidence = {};
    const missing = new Set<string>();
    if (value === undefined) term.missing(values, missing);
    else term.explain(values, evidence);
    return { value, evidence, missing: [...missing] };
  };
}

/** How a condition comes out for an input. Throws its faults when it has some. */
export function outcome(text: string, input: Input): Outcome {
  const { expression, faults } = read(text);
  if (expression === undefined) throw new TypeError(faults.join("\n"));
  return compiled(expression)(input);
}
