import type { Metrics } from "@assay/host";
import type { Kind, Lane } from "@assay/protocol";
import type { Counter, Gauge, Histogram } from "prom-client";

/** How a submission fared at the door. `unconfirmed`: it is not known whether it was accepted. */
export type SubmissionOutcome = "accepted" | "duplicate" | "decided" | "conflict" | "shed" | "erased" | "unconfirmed";

/** How an outcome fared at the door. `unconfirmed`: it is not known whether it was accepted. */
export type OutcomeResult = "accepted" | "duplicate" | "not_found" | "conflict" | "shed" | "unconfirmed";

/** Why a stream of verdicts ended: the caller left, did not read, this process stops, or Redis was away. */
export type StreamEnd = "left" | "slow" | "closing" | "unavailable";

/** What this process counts. */
export interface IngressMetrics {
  request(route: string, code: number, seconds: number): void;
  submission(kind: Kind, outcome: SubmissionOutcome, seconds: number): void;
  outcome(result: OutcomeResult): void;
  invalidContext(field: string): void;
  shed(lane: Lane, reason: "memory" | "overload"): void;
  memoryRatio(ratio: number): void;
  redisError(kind: string): void;
  streamClients(count: number): void;
  streamClosed(reason: StreamEnd): void;
}

const REQUEST_BUCKETS_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const ACCEPT_BUCKETS_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** Registers the metrics of the ingress. Labels are closed sets: a route is its pattern, never a path. */
export function createIngressMetrics(metrics: Metrics): IngressMetrics {
  const { requests, durations, submissions, accepts, outcomes, invalid, shed, ratio, errors, streams, closed } =
    register(metrics);
  return {
    request(route, code, seconds) {
      requests.inc({ route, code });
      durations.observe({ route }, seconds);
    },
    submission(kind, outcome, seconds) {
      submissions.inc({ kind, outcome });
      if (outcome === "accepted" || outcome === "duplicate" || outcome === "decided") accepts.observe(seconds);
    },
    outcome: (result) => outcomes.inc({ result }),
    invalidContext: (field) => invalid.inc({ field }),
    shed: (lane, reason) => shed.inc({ lane, reason }),
    memoryRatio: (value) => ratio.set(value),
    redisError: (kind) => errors.inc({ kind }),
    streamClients: (count) => streams.set(count),
    streamClosed: (reason) => closed.inc({ reason }),
  };
}

interface Instruments {
  readonly requests: Counter<"route" | "code">;
  readonly durations: Histogram<"route">;
  readonly submissions: Counter<"kind" | "outcome">;
  readonly accepts: Histogram;
  readonly outcomes: Counter<"result">;
  readonly invalid: Counter<"field">;
  readonly shed: Counter<"lane" | "reason">;
  readonly ratio: Gauge;
  readonly errors: Counter<"kind">;
  readonly streams: Gauge;
  readonly closed: Counter<"reason">;
}

function register(metrics: Metrics): Instruments {
  return {
    requests: metrics.counter("http_requests_total", "Requests answered.", ["route", "code"]),
    durations: metrics.histogram(
      "http_request_duration_seconds",
      "From the head of a request to the end of its answer.",
      ["route"],
      REQUEST_BUCKETS_SECONDS,
    ),
    submissions: metrics.counter("submissions_total", "Submissions that were read, by how they fared at the door.", [
      "kind",
      "outcome",
    ]),
    accepts: metrics.histogram(
      "accept_duration_seconds",
      "From a submission that was read to Redis holding its record and job.",
      [],
      ACCEPT_BUCKETS_SECONDS,
    ),
    outcomes: metrics.counter("outcomes_total", "Outcomes that were read, by how they fared at the door.", ["result"]),
    invalid: metrics.counter("context_invalid_total", "Context fields left out because they cannot be judged.", [
      "field",
    ]),
    shed: metrics.counter("shed_total", "Submissions refused to stay alive.", ["lane", "reason"]),
    ratio: metrics.gauge("redis_memory_ratio", "Used memory of Redis over its bound; 0 without a bound."),
    errors: metrics.counter("redis_errors_total", "Trouble with Redis.", ["kind"]),
    streams: metrics.gauge("stream_clients", "Streams of verdicts that are open."),
    closed: metrics.counter("stream_closed_total", "Streams of verdicts that ended.", ["reason"]),
  };
}
