import { barOf } from "../backtest/progress.ts";
import { whole } from "../backtest/findings.ts";
import { EXIT, type Report } from "../report.ts";
import type { Counts } from "./counts.ts";
import type { BackfillState } from "./state.ts";
import type { TimeRange } from "./time-range.ts";

/** What a whole run found. */
export interface BackfillResult extends TimeRange {
  readonly tenant: string;
  readonly counts: Counts;
  readonly dryRun: boolean;
  /** Whether an earlier run had begun it. */
  readonly resumed: boolean;
}

const EXPIRED = "older than what the archive keeps: not submitted, as nobody can tell whether they were lost";

export function backfillReport({ tenant, since, until, counts, dryRun, resumed }: BackfillResult): Report {
  const { missing, ...rest } = counts;
  const [from, to] = [since, until].map((time) => new Date(time).toISOString());
  const unreadable = Object.entries(counts.unreadable);
  const rows: [number, string][] = [
    [counts.known, "known to the archive"],
    [counts.pending, "on their way to it"],
    [counts.erased, "erased"],
    ...(counts.expired > 0 ? [[counts.expired, EXPIRED] satisfies [number, string]] : []),
    dryRun ? [missing, "missing: nothing was submitted"] : [counts.submitted, "submitted"],
    ...(counts.duplicates > 0 ? [[counts.duplicates, "submitted by others meanwhile"] satisfies [number, string]] : []),
    ...unreadable.map(([reason, number]): [number, string] => [number, `unreadable: ${reason}`]),
  ];
  const title = `${whole(counts.seen)} event${counts.seen === 1 ? "" : "s"} at Fingerprint from ${from} to ${to}`;
  return {
    exitCode: EXIT.fine,
    json: { tenant, since: from, until: to, dry_run: dryRun, resumed, ...rest, ...(dryRun ? { missing } : {}) },
    text: [
      `${title}${resumed ? ", with those of the run before" : ""}:`,
      ...rows.map(([number, what]) => `${whole(number).padStart(9)}  ${what}`),
    ].join("\n"),
  };
}

/** One line of progress. */
export function progressLine({ since, until, place, counts }: BackfillState): string {
  const reached = place === undefined ? until : (place.reached ?? place.from);
  const share = (reached - since) / (until - since);
  return `${barOf(share)}${whole(counts.seen)} events, ${whole(counts.submitted + counts.missing)} missing`;
}
