import type { Change, Example, RuleFigures } from "@assay/rules/backtest";
import type { Findings, SideNamed } from "./findings.ts";

/** The findings for programs, snake_case. What is not known is absent. `schema` changes when a reader must. */
export function diffJson({ summary, rules, overlaps, bad, leftOut, failIf, ...sides }: Findings) {
  const { span, flips } = summary;
  return {
    schema: "assay.rules-diff/1",
    rows: summary.rows,
    bad_rows: bad.count,
    bad_lines: bad.first,
    left_out: leftOut,
    rows_without_checks: summary.rowsWithoutChecks,
    ...(span === undefined ? {} : { received_from: span[0], received_until: span[1] }),
    labelled: summary.labelled,
    old: sideJson(sides.old, summary.old),
    new: sideJson(sides.new, summary.new),
    ...(summary.blockRate === undefined ? {} : { block_rate: summary.blockRate }),
    ...(summary.challengeRate === undefined ? {} : { challenge_rate: summary.challengeRate }),
    precision: summary.precision satisfies Change,
    recall: summary.recall satisfies Change,
    flips: {
      count: flips.count,
      ...(summary.rows === 0 ? {} : { rate: flips.count / summary.rows }),
      groups: flips.groups.map(({ examples, ...group }) => ({ ...group, examples: examples.map(exampleJson) })),
    },
    rules: rules.map(({ ruleset, rule, old: before, new: after }) => ({
      ruleset,
      rule,
      ...(before === undefined ? {} : { old: figuresJson(before) }),
      ...(after === undefined ? {} : { new: figuresJson(after) }),
    })),
    overlaps,
    ...(failIf === undefined ? {} : { fail_if: failIf }),
  };
}

function sideJson({ path, rulesets }: SideNamed, { actions, byLabel, undecided, warming }: Findings["summary"]["old"]) {
  return {
    path,
    rulesets: rulesets.map(({ name, digest }) => ({ name, digest })),
    actions,
    actions_by_label: byLabel,
    ruleset_not_found: undecided,
    counters_warming: warming,
  };
}

function exampleJson(example: Example): Omit<Example, "order"> {
  const { order: _, ...said } = example;
  return said;
}

function figuresJson({ alone, ...figures }: RuleFigures) {
  return { ...figures, hits_alone: alone };
}
