import { flowsAskedBy } from "./flows.ts";
import type { Routes } from "./routes.ts";
import type { RulesetContent } from "./ruleset-content.ts";

/**
 * Warns of counters that ask for a flow which is routed to rulesets that do not declare them: they would never count
 * there. Counters of a ruleset that no route reaches are left alone, as its submissions name it, whatever their flow.
 * A candidate counts only what nobody else declares.
 */
export function warnOfUncounted(contents: readonly RulesetContent[], routes: Routes): void {
  const byName = new Map(contents.map((content) => [content.name, content]));
  const decidedBy = (flow: string | undefined) => {
    const live = byName.get(routes.rulesetOf(flow));
    const candidate = live?.candidate && byName.get(live.candidate.text);
    return [live, candidate].filter((content) => content !== undefined);
  };
  const routed = new Set([...routes.flows, undefined].flatMap(decidedBy));
  for (const content of contents) {
    for (const { definition, where, place } of content.counters) {
      const declaring = contents.filter(({ counters }) => counters.some((other) => other.definition === definition));
      if (where === undefined || !declaring.every((one) => routed.has(one))) continue;
      for (const flow of flowsAskedBy(where)) {
        const [live, candidate] = decidedBy(flow);
        if (declaring.some((one) => one === live || (one === candidate && declaring.length === 1))) continue;
        const by = routes.rulesetOf(flow);
        place.faults.warn(
          place.at,
          `The flow ${flow} is decided by ${by}, which does not declare this counter, so nothing of ${flow} is counted. ` +
            `Put the counter into a part that ${by} includes.`,
        );
      }
    }
  }
}
