import { showColumns } from "../columns.ts";
import type { Paint } from "../paint.ts";
import type { FindingStatus, PlacedFinding } from "./finding.ts";

const STYLES = { ok: "green", warn: "yellow", fail: "red", skip: "dim" } as const satisfies Record<
  FindingStatus,
  string
>;

/** Findings for people: status, what is so, and below it what to do. */
export function showFindings(findings: readonly PlacedFinding[], paint: Paint): string {
  const rows = findings.flatMap(({ name, tenant, status, says, do: todo }) => {
    const place = tenant === undefined ? name : `${tenant}/${name}`;
    const said = [paint(STYLES[status], status), place, says];
    return todo === undefined ? [said] : [said, ["", "", `${paint("cyan", "→")} ${todo}`]];
  });
  return showColumns(rows).join("\n");
}
