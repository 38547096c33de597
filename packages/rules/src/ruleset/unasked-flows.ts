import { closestName } from "@assay/protocol";
import { flowsAskedBy } from "./flows.ts";
import type { Counter } from "./counters.ts";
import type { Routes } from "./routes.ts";
import type { Rule } from "./rule.ts";
import type { RulesetContent } from "./ruleset-content.ts";

/** The rulesets that decide flows, and those that are judged beside them. */
interface Deciders {
  readonly routes: Routes;
  readonly of: (flow: string | undefined) => readonly RulesetContent[];
  /** All that some route reaches. */
  readonly all: ReadonlySet<RulesetContent>;
}

/**
 * Warns of counters and rules that ask for a flow which is routed to rulesets that do not hold them: they would never
 * count or hit there. Those of a ruleset that no route reaches are left alone, as its submissions name it, whatever
 * their flow.
 */
export function warnOfUnaskedFlows(contents: readonly RulesetContent[], routes: Routes): void {
  const byName = new Map(contents.map((content) => [content.name, content]));
  const of = (flow: string | undefined) => {
    const live = byName.get(routes.rulesetOf(flow));
    const candidate = live?.candidate && byName.get(live.candidate.text);
    return [live, candidate].filter((content) => content !== undefined);
  };
  const deciders = { routes, of, all: new Set([...routes.flows, undefined].flatMap(of)) };
  for (const content of contents) {
    for (const counter of content.counters) warnOfCounter(counter, contents, deciders);
    for (const rule of content.rules) warnOfRule(rule, contents, deciders);
  }
}

function warnOfCounter(
  { definition, where, place }: Counter,
  contents: readonly RulesetContent[],
  { routes, of, all }: Deciders,
): void {
  const declaring = contents.filter(({ counters }) => counters.some((other) => other.definition === definition));
  if (where === undefined || !declaring.every((one) => all.has(one))) return;
  for (const flow of flowsAskedBy(where)) {
    if (of(flow).some((one) => declaring.includes(one))) continue;
    const by = routes.rulesetOf(flow);
    place.faults.warn(
      place.at,
      `The flow ${flow} is decided by ${by}, which does not declare this counter, so nothing of ${flow} is counted. ` +
        `Put the counter into a part that ${by} includes.`,
    );
  }
}

// A flow without a line of its own may be one that only some callers send; where it looks like another, it is misspelt.
function warnOfRule(
  { condition, file, line, place }: Rule,
  contents: readonly RulesetContent[],
  { routes, of, all }: Deciders,
): void {
  const holding = contents.filter(({ rules }) => rules.some((other) => other.file === file && other.line === line));
  if (!holding.every((one) => all.has(one))) return;
  for (const flow of flowsAskedBy(condition)) {
    const meant = routes.flows.includes(flow) ? undefined : closestName(flow, routes.flows);
    if (meant !== undefined) place.faults.warn(place.at, `No route names the flow ${flow}. Did you mean ${meant}?`);
    if (!routes.flows.includes(flow) || of(flow).some((one) => holding.includes(one))) continue;
    const by = routes.rulesetOf(flow);
    place.faults.warn(
      place.at,
      `The flow ${flow} is decided by ${by}, so this rule is not asked there. Put it into ${by}.`,
    );
  }
}
