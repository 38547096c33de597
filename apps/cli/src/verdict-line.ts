import type { TailedVerdict } from "@assay/client";
import type { Verdict } from "@assay/protocol";
import type { Paint } from "./paint.ts";

const STYLES = { allow: "green", challenge: "yellow", review: "yellow", block: "red" } as const;

/** A verdict in one line, behind its time. Columns are of fixed width: what comes later is not known yet. */
export function verdictLine(time: string, verdict: TailedVerdict["verdict"], paint: Paint): string {
  const { action, score, kind, context, id } = verdict;
  // A later version may have other actions.
  const style = Object.entries(STYLES).find(([known]) => known === action)?.[1] ?? "bold";
  const columns = [
    time,
    paint(style, action.padEnd(9)),
    String(score).padStart(3),
    kind.padEnd(8),
    (context?.flow ?? "-").padEnd(12),
    id.padEnd(28),
    whyOf(verdict),
  ];
  return columns.join("  ").trimEnd();
}

function whyOf({ undecided, reasons }: Verdict): string {
  if (undecided !== undefined) return `undecided: ${undecided.code}`;
  return reasons.map(({ rule }) => rule).join(", ");
}
