import { showColumns } from "../columns.ts";
import { count } from "../faults.ts";
import type { Paint } from "../paint.ts";
import {
  exampleText,
  flipTitle,
  outcomeTable,
  overlapTable,
  rulesLeftOut,
  ruleTable,
  type Table,
} from "./diff-tables.ts";
import { caveatsOf, type Findings, percent, type SideNamed, whole } from "./findings.ts";

/** The findings for people. */
export function showDiff(findings: Findings, paint: Paint): string {
  const { summary, failIf } = findings;
  const overlaps = overlapTable(findings);
  const parts = [
    `${headOf(findings)}\n${spanOf(findings)}`,
    table(outcomeTable(findings), paint),
    flipsOf(findings, paint),
    table(ruleTable(findings), paint) + leftOut(findings),
    overlaps === undefined ? "" : `${paint("bold", "both fire, new")}\n${table(overlaps, paint)}`,
    caveatsOf(findings)
      .map((caveat) => paint("yellow", caveat))
      .join("\n"),
    failIf === undefined
      ? ""
      : failIf.holds
        ? paint("red", `Fails, because ${failIf.condition}.`)
        : paint("green", `Passes: not ${failIf.condition}.`),
  ];
  return (summary.rows === 0 ? parts.slice(0, 1) : parts).filter(Boolean).join("\n\n");
}

/** Both sides by path, and the digest where it is one ruleset. */
export function headOf({ old: before, new: after }: Findings): string {
  const side = ({ path, rulesets }: SideNamed) =>
    rulesets.length === 1
      ? `${path} (${rulesets[0]?.name} ${rulesets[0]?.digest})`
      : `${path} (${count(rulesets.length, "ruleset")})`;
  return `old ${side(before)}\nnew ${side(after)}`;
}

/** How many rows, and of when. */
export function spanOf({ summary: { rows, span, labelled } }: Findings): string {
  if (span === undefined) return "no rows";
  const [from, until] = span.map((at) => new Date(at).toISOString());
  const labels =
    labelled.fraud + labelled.legit > 0 ? `, ${whole(labelled.fraud)} fraud, ${whole(labelled.legit)} legit` : "";
  return `${whole(rows)} rows from ${from} to ${until}${labels}`;
}

function flipsOf({ summary: { rows, flips } }: Findings, paint: Paint): string {
  if (flips.count === 0) return paint("green", "No row is answered otherwise.");
  const groups = flips.groups.flatMap((group) => [
    `  ${paint("bold", flipTitle(group))}`,
    ...group.examples.map((example) => `    ${exampleText(example)}`),
  ]);
  return [`${whole(flips.count)} rows are answered otherwise (${percent(flips.count / rows)})`, ...groups].join("\n");
}

function table([head = [], ...rows]: Table, paint: Paint): string {
  const [titles = "", ...lines] = showColumns([head, ...rows]);
  return [paint("dim", titles), ...lines].join("\n");
}

function leftOut(findings: Findings): string {
  const more = rulesLeftOut(findings);
  return more === 0 ? "" : `\nand ${count(more, "rule")} more, by --json`;
}
