import {
  exampleText,
  flipTitle,
  outcomeTable,
  overlapTable,
  rulesLeftOut,
  ruleTable,
  type Table,
} from "./diff-tables.ts";
import { caveatsOf, type Findings, percent, whole } from "./findings.ts";
import { headOf, spanOf } from "./show-diff.ts";

/** The findings as a comment of a pull request. */
export function diffMarkdown(findings: Findings): string {
  const { summary, failIf } = findings;
  const { flips, rows } = summary;
  const overlaps = overlapTable(findings);
  const more = rulesLeftOut(findings);
  const parts = [
    "### What the change of rules does",
    failIf === undefined
      ? ""
      : failIf.holds
        ? `**Fails**, because \`${failIf.condition}\`.`
        : `**Passes**: not \`${failIf.condition}\`.`,
    `${headOf(findings).split("\n").map(escaped).join("<br>\n")}<br>\n${spanOf(findings)}`,
    table(outcomeTable(findings)),
    flips.count === 0
      ? "No row is answered otherwise."
      : [
          `**${whole(flips.count)} rows are answered otherwise (${percent(flips.count / rows)})**`,
          "",
          ...flips.groups.flatMap((group) => [
            `- ${flipTitle(group)}`,
            ...group.examples.map((example) => `  - ${escaped(exampleText(example))}`),
          ]),
        ].join("\n"),
    details("Rules", table(ruleTable(findings)) + (more === 0 ? "" : `\n\nand ${more} more`)),
    overlaps === undefined ? "" : details("Rules that fire together", table(overlaps)),
    caveatsOf(findings)
      .map((caveat) => `> ${escaped(caveat)}`)
      .join("  \n"),
  ];
  return (rows === 0 ? parts.slice(0, 3) : parts).filter(Boolean).join("\n\n");
}

function table([head = [], ...rows]: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(" | ")} |`;
  return [
    line(head),
    `|${head.map((_, index) => (index === 0 ? " --- |" : " ---: |")).join("")}`,
    ...rows.map(line),
  ].join("\n");
}

function details(title: string, content: string): string {
  return `<details><summary>${title}</summary>\n\n${content}\n\n</details>`;
}

// Names of rules have underscores, which Markdown would take for emphasis.
function escaped(text: string): string {
  return text.replaceAll(/[\\`*_|<>]/g, (sign) => `\\${sign}`);
}
