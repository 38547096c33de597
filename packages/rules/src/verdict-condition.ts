import { ACTIONS, closestNames, type Event, KINDS, type Verdict } from "@assay/protocol";
import type { Catalogue, Field } from "./condition/catalogue.ts";
import { createCelEnvironment } from "./condition/cel-environment.ts";
import { compile } from "./condition/compile.ts";
import { readCondition } from "./condition/condition.ts";
import { SlotTable } from "./condition/slots.ts";

/** A condition over a verdict. */
export interface VerdictCondition {
  /** Whether the verdict meets it. What is unknown does not: a flow that the verdict has not is no flow. */
  meets(verdict: Verdict): boolean;
}

/** A condition that was read, or every fault of it: its column, what is wrong, and the line with a caret. */
export type ReadVerdictCondition =
  | { readonly ok: true; readonly condition: VerdictCondition }
  | { readonly ok: false; readonly faults: readonly string[] };

// A verdict's values stand in the places of facts, so that the language is that of rules in every part.
const FIELDS: readonly Field[] = [
  { path: "action", root: "facts", keys: ["action"], type: "string", values: ACTIONS, closed: true },
  { path: "score", root: "facts", keys: ["score"], type: "number", least: 0 },
  { path: "flow", root: "facts", keys: ["flow"], type: "string" },
  { path: "kind", root: "facts", keys: ["kind"], type: "string", values: KINDS, closed: true },
  { path: "ruleset", root: "facts", keys: ["ruleset"], type: "string" },
  {
    path: "rules",
    root: "facts",
    keys: ["rules"],
    type: "array",
    elements: [{ path: "rules[]", root: "element", keys: [], type: "string" }],
  },
  { path: "undecided", root: "facts", keys: ["undecided"], type: "string" },
  { path: "late", root: "facts", keys: ["late"], type: "boolean" },
];

const PATHS = FIELDS.map(({ path }) => path);

const CATALOGUE: Catalogue = {
  fields: new Map(FIELDS.map((field) => [field.path, field])),
  lists: new Map(),
  field: (path) => FIELDS.find((field) => field.path === path),
  suggest: (path) => closestNames(path, PATHS).join(" or ") || undefined,
};

const NO_EVENT: Event = { event_id: "", timestamp: 0 };

/**
 * Reads a condition over verdicts, in the language of rules, with the same checks. It knows `action`, `score`, `flow`,
 * `kind`, `ruleset` (its name), `rules` (ids of those that fired), `undecided` (its code) and `late`, and nothing else.
 */
export function readVerdictCondition(text: string): ReadVerdictCondition {
  const faults: string[] = [];
  const fault = (at: number, message: string) => faults.push(showFault(text, at, message));
  const expression = readCondition({ text, catalogue: CATALOGUE, fault }, createCelEnvironment(CATALOGUE));
  if (expression === undefined) return { ok: false, faults };
  const slots = new SlotTable();
  const term = compile(expression, slots);
  return {
    ok: true,
    condition: {
      meets: (verdict) => {
        const input = { event: NO_EVENT, checks: {}, context: { facts: factsOf(verdict) } };
        return term.evaluate(slots.read({ ...input, receivedAt: verdict.received_at, kind: verdict.kind })) === true;
      },
    },
  };
}

function factsOf({ action, score, context, kind, ruleset, reasons, undecided, late }: Verdict) {
  return {
    action,
    score,
    kind,
    ruleset: ruleset.name,
    rules: reasons.map(({ rule }) => rule),
    late: late === true,
    ...(context?.flow === undefined ? {} : { flow: context.flow }),
    ...(undecided === undefined ? {} : { undecided: undecided.code }),
  };
}

function showFault(text: string, at: number, message: string): string {
  const before = text.slice(0, at).split("\n");
  const column = before.at(-1)?.length ?? 0;
  const line = text.split("\n")[before.length - 1] ?? "";
  const place = before.length === 1 ? `column ${column + 1}` : `line ${before.length}, column ${column + 1}`;
  return `${place}: ${message}\n      ${line}\n      ${" ".repeat(column)}^`;
}
