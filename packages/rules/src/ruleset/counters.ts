import { createHash } from "node:crypto";
import { canonicalJson } from "@assay/protocol";
import { isScalar } from "yaml";
import type { Field } from "../condition/catalogue.ts";
import { readCondition } from "../condition/condition.ts";
import { canonicalExpression, type Expression, partsOf } from "../condition/expression.ts";
import { bracketed, type ConditionEntryScope, conditionText, readConditionEntry } from "./condition-entry.ts";
import { checkCounterCondition } from "./counter-condition.ts";
import { readDistinct, readKey } from "./counter-fields.ts";
import { parseDurationMs } from "./duration.ts";
import type { FaultList } from "./fault.ts";
import type { ListDeclaration } from "./lists.ts";
import { checkName, isName, Names } from "./names.ts";
import type { PartEntry } from "./part.ts";
import { type Entry, readChoice, readEntries, readText, refuseUnknown } from "./yaml-entries.ts";

/** A counter that a ruleset declares. */
export interface Counter {
  readonly name: string;
  readonly on: "submission" | "outcome";
  /** One to four fields whose values together are what is counted by. */
  readonly key: readonly Field[];
  /** Counts different values of this field instead of submissions. */
  readonly distinct?: Field;
  readonly where?: Expression;
  readonly windowMs: number;
  /** 16 hexadecimal digits that stand for all of this but the name. */
  readonly definition: string;
  /** Where it is declared, for warnings that need other files. */
  readonly place: { readonly faults: FaultList; readonly at: number };
}

export const COUNTER_KEYS = ["on", "key", "distinct", "where", "window"] as const;
export const COUNTER_ON = ["submission", "outcome"] as const;
const MAX_COUNTERS = 32;
const LONGEST_WINDOW_MS = 90 * 86_400_000;
const WINDOW_HINT = "a time from 1s to 90d, such as 5m, 24h or 30d";

/** The names that counters can be asked by, before what they count is read. */
export function counterNames(declared: readonly PartEntry[]): string[] {
  return declared.map(({ entry }) => entry.name).filter(isName);
}

/** What reading counters needs. The catalogue is one that knows `outcome` and `label`. */
interface CounterScope extends ConditionEntryScope {
  readonly lists: readonly ListDeclaration[];
}

/** Reads the entries of `counters:` of all parts. */
export function readCounters(declared: readonly PartEntry[], scope: Omit<CounterScope, "faults">): Counter[] {
  const names = new Names("counter");
  return declared.flatMap((one, index) => {
    const { entry, faults } = one;
    if (index === MAX_COUNTERS) faults.add(entry.nameAt, `At most ${MAX_COUNTERS} counters may be declared.`);
    const isUsable = checkName(entry, "counter", faults) && names.take(entry.name, entry.nameAt, faults);
    const counter = readCounter(one, { ...scope, faults });
    return isUsable && counter !== undefined ? [counter] : [];
  });
}

function readCounter({ entry, faults }: PartEntry, scope: CounterScope): Counter | undefined {
  const entries = readEntries(entry.value, entry.valueAt, "a counter", faults);
  refuseUnknown(entries, "a counter", COUNTER_KEYS, faults);
  const [onEntry, keyEntry, distinctEntry, whereEntry, windowEntry] = COUNTER_KEYS.map((key) =>
    entries.find(({ name }) => name === key),
  );
  const on = onEntry === undefined ? "submission" : readChoice(onEntry, COUNTER_ON, faults);
  const key = keyEntry && readKey(keyEntry, scope);
  const distinct = distinctEntry && readDistinct(distinctEntry, key ?? [], scope);
  const where = whereEntry && readWhere(whereEntry, on ?? "outcome", scope);
  const windowMs = windowEntry && readWindowMs(windowEntry, faults);
  if (keyEntry === undefined) {
    faults.add(entry.nameAt, "A counter needs a key, what it counts by, as in key: identification.visitor_id");
  }
  if (windowEntry === undefined) faults.add(entry.nameAt, "A counter needs a window, as in window: 24h");
  if (on === undefined || key === undefined || windowMs === undefined) return undefined;
  if (where !== undefined || whereEntry === undefined)
    checkCountable([...key, ...(distinct === undefined ? [] : [distinct])], whereEntry, entry, scope);
  const counted = {
    on,
    key,
    windowMs,
    ...(distinct === undefined ? {} : { distinct }),
    ...(where === undefined ? {} : { where }),
  };
  const place = { faults, at: entry.nameAt };
  return { name: entry.name, ...counted, definition: definitionOf(counted, scope.lists), place };
}

// What is counted has every part of its key, and is where `where` is true. What can never be both is never counted.
function checkCountable(
  needed: readonly Field[],
  where: Entry | undefined,
  counter: Entry,
  { catalogue, environment, faults }: ConditionEntryScope,
): void {
  const asked = where !== undefined && isScalar(where.value) ? [bracketed(conditionText(where.value))] : [];
  const text = [...needed.map(({ path }) => `has(${path})`), ...asked].join(" && ");
  const at = where?.valueAt ?? counter.nameAt;
  readCondition(
    { text, catalogue, fault: (_, message) => faults.add(at, `Nothing is counted: ${message}`) },
    environment,
  );
}

function readWhere(entry: Entry, on: Counter["on"], scope: ConditionEntryScope): Expression | undefined {
  return readConditionEntry(entry, scope, (expression, fault) => checkCounterCondition(expression, on, fault));
}

function readWindowMs(entry: Entry, faults: FaultList): number | undefined {
  const text = readText(entry, /./, WINDOW_HINT, faults);
  if (text === undefined) return undefined;
  const windowMs = parseDurationMs(text);
  if (windowMs !== undefined && windowMs >= 1000 && windowMs <= LONGEST_WINDOW_MS) return windowMs;
  faults.add(entry.valueAt, `window must be ${WINDOW_HINT}.`);
  return undefined;
}

// A list stands in the definition by its file, so that a new entry does not empty the counter.
function definitionOf(
  counted: Omit<Counter, "name" | "definition" | "place">,
  lists: readonly ListDeclaration[],
): string {
  const { key, distinct, where } = counted;
  const used = where === undefined ? [] : listsIn(where);
  const canonical = canonicalJson({
    ...counted,
    key: key.map(({ path }) => path),
    distinct: distinct?.path,
    where: where && canonicalExpression(where),
    lists: lists.filter(({ name }) => used.includes(name)).map(({ name, type, file }) => ({ name, type, file })),
  });
  return createHash("sha256").update(canonical).digest("hex").slice(0, 16);
}

function listsIn(expression: Expression): string[] {
  const own = expression.kind === "listed" ? [expression.list] : [];
  return [...own, ...partsOf(expression).flatMap(listsIn)];
}
