import { ACTIONS } from "@assay/protocol";
import type { Example, FlipGroup, Overlap, RuleFigures } from "@assay/rules/backtest";
import { change, type Findings, isOneRuleset, nameOf, percent, points, whole } from "./findings.ts";

/** A table: its head, then its rows. */
export type Table = readonly (readonly string[])[];

const MOST_RULES = 20;
const MOST_OVERLAPPING = 8;

/** Actions, rates and labels of both sides. */
export function outcomeTable({ summary }: Findings): Table {
  const { rows, old: before, new: after, blockRate, challengeRate, precision, recall } = summary;
  const share = (count: number) => (rows === 0 ? "" : ` (${percent(count / rows)})`);
  const rate = (name: string, figures: typeof blockRate) =>
    figures === undefined
      ? []
      : [
          [
            name,
            percent(figures.old),
            percent(figures.new),
            `${points(figures.delta)}, 95 % from ${points(figures.interval[0])} to ${points(figures.interval[1])}`,
          ],
        ];
  const quality = (name: string, { old: was, new: is, delta }: typeof precision) =>
    was === undefined && is === undefined ? [] : [[name, percent(was), percent(is), points(delta)]];
  return [
    ["", "old", "new", "change"],
    ...ACTIONS.map((action) => {
      const [was, is] = [before.actions[action], after.actions[action]];
      return [action, `${whole(was)}${share(was)}`, `${whole(is)}${share(is)}`, change(was, is)];
    }),
    ...rate("block rate", blockRate),
    ...rate("challenge rate", challengeRate),
    ...quality("precision of block", precision),
    ...quality("recall of block", recall),
  ];
}

/** Each rule: what it hits on both sides, alone, and of whom. */
export function ruleTable({ rules, summary }: Findings): Table {
  const isOne = isOneRuleset(rules);
  const hasShadow = rules.some((rule) => (rule.old?.shadow ?? 0) + (rule.new?.shadow ?? 0) > 0);
  const hasLabels = summary.labelled.fraud + summary.labelled.legit > 0;
  const labelled = (figures: RuleFigures | undefined) => [percent(figures?.precision), percent(figures?.recall)];
  return [
    [
      "rule",
      "hits old",
      "new",
      "change",
      "alone new",
      "unknown new",
      ...(hasShadow ? ["shadow old", "new"] : []),
      ...(hasLabels ? ["precision new", "recall new"] : []),
    ],
    ...rules.slice(0, MOST_RULES).map((one) => {
      const { old: was, new: is } = one;
      return [
        nameOf(one, isOne),
        whole(was?.hits ?? 0),
        whole(is?.hits ?? 0),
        change(was?.hits ?? 0, is?.hits ?? 0),
        whole(is?.alone ?? 0),
        whole(is?.unknown ?? 0),
        ...(hasShadow ? [whole(was?.shadow ?? 0), whole(is?.shadow ?? 0)] : []),
        ...(hasLabels ? labelled(is) : []),
      ];
    }),
  ];
}

/** How many rules the table of rules leaves out. */
export function rulesLeftOut({ rules }: Findings): number {
  return Math.max(0, rules.length - MOST_RULES);
}

/** On how many rows two rules fire together, of those that do so most. Undefined where none do. */
export function overlapTable({ rules, overlaps }: Findings): Table | undefined {
  const isOne = isOneRuleset(rules);
  const names = new Set<string>();
  const rows = new Map<string, number>();
  for (const { ruleset, rules: pair, rows: count } of overlaps satisfies readonly Overlap[]) {
    const [one = "", other = ""] = pair.map((rule) => nameOf({ ruleset, rule }, isOne));
    if (new Set([...names, one, other]).size > MOST_OVERLAPPING) continue;
    names.add(one).add(other);
    rows.set(`${one} ${other}`, count).set(`${other} ${one}`, count);
  }
  if (names.size === 0) return undefined;
  const all = [...names];
  return [
    ["", ...all.map((_, index) => `${index + 1}`)],
    ...all.map((name, index) => [
      `${index + 1} ${name}`,
      ...all.map((other) => (other === name ? "·" : whole(rows.get(`${name} ${other}`) ?? 0))),
    ]),
  ];
}

/** `allow → block: 3 (2 fraud, 1 legit)` */
export function flipTitle({ from, to, count, labelled: { fraud, legit } }: FlipGroup): string {
  const labels = fraud + legit > 0 ? ` (${whole(fraud)} fraud, ${whole(legit)} legit)` : "";
  return `${from} → ${to}: ${whole(count)}${labels}`;
}

/** What fired on either side of an example. */
export function exampleText({
  event_id: id,
  flow,
  label,
  old: before,
  new: after,
  visitor_id: visitor,
}: Example): string {
  const rules = (side: Example["old"]) => side.rules.map(({ rule }) => rule).join(", ") || "nothing";
  const notes = [flow, label, visitor].filter((note) => note !== undefined);
  const more = notes.length === 0 ? "" : ` (${notes.join(", ")})`;
  return `${id}${more}: ${rules(before)} → ${rules(after)}, score ${before.score} → ${after.score}`;
}
