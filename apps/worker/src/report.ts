import type { Logger } from "@assay/host";
import type { Publication, Published } from "@assay/ledger";
import { CHECK_NAMES, type Event, isRecord, laneOf, type Verdict } from "@assay/protocol";
import type { Decision } from "@assay/rules";
import type { WorkerMetrics } from "./metrics.ts";
import type { Rulesets } from "./rulesets.ts";
import type { Sightings } from "./sightings.ts";

/** Which verdicts get a log line: all, those that are not allow, or none. */
export const VERDICT_LOGS = ["all", "not_allow", "none"] as const;

export type VerdictLog = (typeof VERDICT_LOGS)[number];

/** A verdict on its way out, and what it was made of. */
export interface Judgment {
  readonly publication: Publication;
  readonly decision: Decision;
  readonly event?: Event;
}

/** Tells the outside what happened: metrics, and one log line per verdict. Neither ever holds who the visitor is. */
export interface Report {
  published(published: Published, judgment: Judgment | undefined): void;
  /** A fault of ours ended a submission undecided. */
  fault(error: unknown): void;
}

export function createReport(options: {
  metrics: WorkerMetrics;
  logger: Logger;
  rulesets: Rulesets;
  sightings: Pick<Sightings, "published">;
  verdictLog: VerdictLog;
}): Report {
  const { metrics, logger, rulesets, verdictLog } = options;
  const flowLabel = (flow: string | undefined) =>
    flow === undefined ? "none" : rulesets.current().flows.includes(flow) ? flow : "other";

  function countVerdict(verdict: Verdict): void {
    const { name } = verdict.ruleset;
    const labels = {
      action: verdict.action,
      kind: verdict.kind,
      flow: flowLabel(verdict.context?.flow),
      ruleset: name,
    };
    metrics.verdicts.inc({ ...labels, undecided: verdict.undecided?.code ?? "none" });
    metrics.acceptToVerdict.observe({ lane: laneOf(verdict.kind, verdict.id) }, secondsWaited(verdict));
    metrics.score.observe({ ruleset: name }, verdict.score);
    for (const { rule } of verdict.reasons) metrics.ruleHits.inc({ ruleset: name, rule, mode: "live" });
    for (const { rule } of verdict.shadow) metrics.ruleHits.inc({ ruleset: name, rule, mode: "shadow" });
    for (const { rule } of verdict.unknown) metrics.ruleUnknown.inc({ ruleset: name, rule });
    for (const signal of new Set(verdict.unknown.flatMap(({ missing }) => missing)))
      metrics.signalMissing.inc({ signal });
    const { rules, judged } = verdict.coverage;
    if (rules > 0 && verdict.undecided === undefined) metrics.coverage.observe({ ruleset: name }, judged / rules);
    countChecks(verdict.checks);
  }

  function countDecision({ invalidFacts, shadowUnknown }: Decision, { name }: Verdict["ruleset"]): void {
    for (const fact of invalidFacts) metrics.factsInvalid.inc({ fact });
    for (const { rule } of shadowUnknown) metrics.ruleUnknown.inc({ ruleset: name, rule });
  }

  /** Our answer beside those of a candidate and of Fingerprint's own rules. */
  function compare(verdict: Verdict, event: Event | undefined): void {
    if (verdict.undecided !== undefined) return;
    const action = verdict.would_be ?? verdict.action;
    const { candidate } = verdict;
    if (candidate !== undefined && candidate.action !== action)
      metrics.candidateFlips.inc({ from: action, to: candidate.action });
    const vendor = vendorActionOf(event);
    if (vendor !== undefined) metrics.vendorRuleActions.inc({ vendor, action });
  }

  function countChecks(checks: Verdict["checks"]): void {
    for (const check of CHECK_NAMES) {
      const result = checks[check];
      if (result !== undefined) metrics.checks.inc({ check, result: String(result) });
    }
  }

  return {
    published(published, judgment) {
      switch (published.status) {
        case "published": {
          if (judgment === undefined) return;
          const { verdict } = judgment.publication;
          if (verdict.test === true) {
            metrics.testVerdicts.inc({ action: verdict.action });
          } else {
            countVerdict(verdict);
            countDecision(judgment.decision, verdict.ruleset);
            compare(verdict, judgment.event);
            options.sightings.published(verdict, judgment.event);
          }
          logVerdict(logger, verdictLog, verdict);
          return;
        }
        case "conflict":
          metrics.conflicts.inc({ reason: published.reason });
          if (published.reason === "nondeterminism")
            logger.error({ id: published.id }, "two verdicts from equal inputs differ");
          return;
        case "orphan":
          metrics.orphanJobs.inc();
          return;
        case "repeated":
      }
    },
    fault(error) {
      logger.error({ err: error }, "a submission could not be judged");
    },
  };
}

/** What Fingerprint's own rules say, where the event tells it. Types that are not known yet are one. */
function vendorActionOf(event: Event | undefined): string | undefined {
  const answer = event?.["rule_action"];
  if (!isRecord(answer)) return undefined;
  const { type } = answer;
  return type === "allow" || type === "block" ? type : "other";
}

function logVerdict(logger: Logger, verdictLog: VerdictLog, verdict: Verdict): void {
  if (verdictLog === "none" || (verdictLog === "not_allow" && verdict.action === "allow")) return;
  logger.info(
    {
      id: verdict.id,
      kind: verdict.kind,
      action: verdict.action,
      score: verdict.score,
      rules: verdict.reasons.map(({ rule }) => rule),
      unknown: verdict.unknown.length,
      ruleset: verdict.ruleset.name,
      digest: verdict.ruleset.digest,
      flow: verdict.context?.flow,
      undecided: verdict.undecided?.code,
      test: verdict.test,
      event_source: verdict.event_source,
      waited_seconds: secondsWaited(verdict),
    },
    "verdict",
  );
}

function secondsWaited(verdict: Verdict): number {
  return Math.max(0, verdict.decided_at - verdict.received_at) / 1000;
}
