import type { Metrics } from "@assay/host";

const SECONDS_TO_300 = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const SCORES = [0, 10, 20, 30, 40, 50, 60, 80, 100, 150, 200];
const SHARES = [0.1, 0.25, 0.5, 0.75, 0.9, 1];

export type WorkerMetrics = ReturnType<typeof createWorkerMetrics>;

/** Every metric of this app, named and described. Labels are closed sets, never an id. */
export function createWorkerMetrics(metrics: Metrics) {
  return {
    verdicts: metrics.counter("verdicts_total", "Verdicts published.", [
      "action",
      "kind",
      "flow",
      "ruleset",
      "undecided",
    ]),
    testVerdicts: metrics.counter("test_verdicts_total", "Verdicts on test events; no other metric has them.", [
      "action",
    ]),
    acceptToVerdict: metrics.histogram(
      "accept_to_verdict_seconds",
      "From acceptance to verdict.",
      ["lane"],
      SECONDS_TO_300,
    ),
    score: metrics.histogram("score", "Scores of verdicts.", ["ruleset"], SCORES),
    ruleHits: metrics.counter("rule_hits_total", "Rules that fired.", ["ruleset", "rule", "mode"]),
    ruleUnknown: metrics.counter("rule_unknown_total", "Rules that could not be judged.", ["ruleset", "rule"]),
    coverage: metrics.histogram("verdict_coverage", "Share of rules that could be judged.", ["ruleset"], SHARES),
    signalMissing: metrics.counter("signal_missing_total", "Signals a rule needed and the event lacked.", ["signal"]),
    checks: metrics.counter("checks_total", "Checks judged.", ["check", "result"]),
    factsInvalid: metrics.counter("facts_invalid_total", "Facts that did not fit their declared type.", ["fact"]),
    candidateFlips: metrics.counter(
      "candidate_flips_total",
      "Verdicts that the candidate would have given another action.",
      ["from", "to"],
    ),
    vendorRuleActions: metrics.counter(
      "vendor_rule_actions_total",
      "Verdicts on events that carry an answer of Fingerprint's own rules.",
      ["vendor", "action"],
    ),
    unseal: metrics.counter("unseal_total", "Sealed results opened or refused.", ["key", "outcome"]),
    unknownFields: metrics.counter(
      "event_unknown_total",
      "Fields and values of events that the vendor's schema did not name.",
      ["kind"],
    ),
    lookupRequests: metrics.counter("lookup_requests_total", "Lookups asked of the vendor.", ["status"]),
    lookupDuration: metrics.histogram("lookup_duration_seconds", "How long the vendor took.", [], SECONDS_TO_300),
    lookupKeys: metrics.gauge("lookup_keys", "1 for the state that an API key is in.", ["key", "state"]),
    conflicts: metrics.counter(
      "verdict_conflicts_total",
      "Verdicts that lost to another. nondeterminism must stay 0.",
      ["reason"],
    ),
    orphanJobs: metrics.counter("orphan_jobs_total", "Doorbells without a submission."),
    suspects: metrics.counter("suspects_total", "Submissions sent to run alone."),
    repairs: metrics.counter("reconciler_repairs_total", "Doorbells rung again."),
    redisErrors: metrics.counter("redis_errors_total", "Errors of Redis.", ["kind"]),
    queueJobs: metrics.gauge("queue_jobs", "Jobs by queue and state; set by the leader alone.", ["queue", "state"]),
    pending: metrics.gauge("pending", "Accepted and undecided submissions; set by the leader alone.", ["lane"]),
    pendingOldest: metrics.gauge("pending_oldest_age_seconds", "Age of the oldest undecided submission.", ["lane"]),
    deadLetters: metrics.gauge("dead_letters", "Dead letters that are kept.", ["kind"]),
    deadLettersDropped: metrics.gauge("dead_letters_dropped", "Dead letters that went because there were too many.", [
      "kind",
    ]),
    streamLag: metrics.gauge(
      "stream_lag",
      "Verdicts that a group of consumers has not been given; set by the leader alone.",
      ["group"],
    ),
    deliveries: metrics.counter("deliveries_total", "Tries to deliver a verdict to an endpoint, by how they ended.", [
      "outcome",
    ]),
    deliveriesMissed: metrics.counter(
      "deliveries_missed_total",
      "Verdicts that left the stream before they were planned for delivery, and that no archive gave.",
    ),
    deliveriesLeft: metrics.counter(
      "deliveries_left_total",
      "Verdicts that left the stream before they were planned for delivery, and wait for a worker that can read the archive.",
    ),
    deliveriesPending: metrics.gauge("deliveries_pending", "Verdicts that an endpoint has not taken.", ["endpoint"]),
    deliveriesOldest: metrics.gauge("deliveries_oldest_age_seconds", "Age of the oldest of them.", ["endpoint"]),
    endpointPaused: metrics.gauge("endpoint_paused", "1 while an endpoint is on hold.", ["endpoint"]),
    archiveState: metrics.gauge("archive_state", "1 for the state that the archive is in.", ["state"]),
    archiveRows: metrics.counter("archive_rows_total", "Entries brought to the archive, by what became of them.", [
      "outcome",
    ]),
    archiveBacklogBytes: metrics.gauge(
      "archive_backlog_bytes",
      "Bytes that wait in Redis for the archive; set by the leader alone.",
    ),
    archiveBacklogRatio: metrics.gauge(
      "archive_backlog_ratio",
      "Share of the bytes that may wait there, of the tenant that is nearest to it.",
    ),
    archiveBacklogAge: metrics.gauge("archive_backlog_age_seconds", "Age of the oldest of what waits there."),
    archiveDropped: metrics.gauge("archive_dropped", "Entries that the archive never got, since the beginning."),
    rulesetInfo: metrics.gauge("ruleset_info", "Always 1; the labels tell what is loaded.", [
      "name",
      "digest",
      "origin",
      "tenant",
    ]),
    rulesetReloadFailures: metrics.counter(
      "ruleset_reload_failures_total",
      "Contents of the folder of rulesets that could not be used.",
    ),
  };
}
