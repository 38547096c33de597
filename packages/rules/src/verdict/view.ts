import type { Checks, Event } from "@assay/protocol";
import type { CounterUse } from "../judge/counting.ts";
import type { Decision } from "../judge/decision.ts";
import type { Ruleset } from "../ruleset.ts";
import { judgeChecks } from "./checks.ts";
import type { PinnedInputs, Submitted } from "./submitted.ts";

/** How one ruleset sees an event before shared memory was asked. */
export interface View {
  readonly ruleset: Ruleset;
  /** By the ruleset's own settings. */
  readonly checks: Checks;
  readonly counters: readonly CounterUse[];
}

/** What shared memory answered. */
export interface Answers {
  readonly inputs: PinnedInputs;
  /** The counters that were asked for, in the order of `inputs.counters`. */
  readonly asked: readonly CounterUse[];
}

/** What a ruleset says once shared memory has answered. */
export interface Seen {
  readonly ruleset: Ruleset;
  readonly checks: Checks;
  readonly decision: Decision;
  /** Names of its counters that are younger than their windows, sorted. */
  readonly warming: readonly string[];
}

/** Event and context → checks, and the counters that the ruleset asks for. */
export function viewOf(ruleset: Ruleset, { meta, receivedAt }: Submitted, event: Event): View {
  const { context = {}, kind, event_id: claimedEventId } = meta;
  const checks = judgeChecks({
    kind,
    event,
    context,
    receivedAt,
    settings: ruleset.settings,
    maxEventAgeMs: ruleset.maxEventAgeMs(context.flow),
    ...(claimedEventId === undefined ? {} : { claimedEventId }),
  });
  return { ruleset, checks, counters: ruleset.counting({ event, checks, context, receivedAt, kind }) };
}

/**
 * The counters of several views, each definition once. What the first view says of one stands: a candidate with other
 * settings may find that the submission counts where the ruleset that decides does not.
 */
export function countersOf(...views: readonly (View | undefined)[]): CounterUse[] {
  const first = new Map<string, CounterUse>();
  for (const counter of views.flatMap((view) => view?.counters ?? [])) {
    if (!first.has(counter.definition)) first.set(counter.definition, counter);
  }
  return [...first.values()];
}

/** A view that counts in none of these definitions, and still reads them. */
export function onlyReading(view: View, definitions: ReadonlySet<string>): View {
  const counters = view.counters.map((counter): CounterUse => {
    if (!definitions.has(counter.definition)) return counter;
    const { on } = counter.counts;
    return { ...counter, counts: on === "submission" ? { on, now: false } : { on, names: [], pairs: [] } };
  });
  return { ...view, counters };
}

/** Checks, counters and what was pinned → decision. */
export function see(view: View, { meta, receivedAt }: Submitted, event: Event, answers: Answers | undefined): Seen {
  const { ruleset } = view;
  const { context = {}, kind } = meta;
  const checks = withClaim(view.checks, answers?.inputs);
  const counters = new Map(answers?.asked.map(({ definition }, index) => [definition, answers.inputs.counters[index]]));
  const known = view.counters.flatMap(({ name, definition }) => {
    const counter = counters.get(definition);
    return counter === undefined ? [] : [{ name, ...counter }];
  });
  const values = Object.fromEntries(known.map(({ name, value }) => [name, value]));
  return {
    ruleset,
    checks,
    decision: ruleset.decide({ event, checks, context, receivedAt, kind, counters: values }),
    // Sorted, as the order of counters in a file is no part of the ruleset's digest.
    warming: known
      .filter(({ isWarming }) => isWarming)
      .map(({ name }) => name)
      .toSorted(),
  };
}

/** Checks with what the claim says; as they are where there is none. */
export function withClaim(checks: Checks, inputs: PinnedInputs | undefined): Checks {
  if (inputs?.claim === undefined) return checks;
  const { reused, reusedElsewhere, useCount } = inputs.claim;
  return { ...checks, reused, reused_elsewhere: reusedElsewhere, use_count: useCount };
}
