import {
  checkObservedAt,
  checkTestEvent,
  readIdempotencyKey,
  type ReadSubmission,
  type Role,
  type Submission,
  submissionId,
} from "@assay/protocol";
import { Accepted, SubmissionBody, Verdict } from "@assay/protocol/schemas";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import type { z } from "zod";
import { acceptArrival, REDIS_ANSWER_MS } from "./accept-arrival.ts";
import { IdempotencyHeaders } from "./idempotency-headers.ts";
import { responses } from "./openapi.ts";
import { expiredVerdict } from "./problems.ts";
import { type App, JSON_TYPE, type RouteDeps, type TenantDeps, tenantOf } from "./route.ts";
import { readTraceparent } from "./traceparent.ts";
import { WaitQuery, waitForVerdict } from "./wait.ts";

const SCHEMA = {
  summary: "Submit an event id or a sealed result",
  description:
    "Send an Idempotency-Key that names your operation, and repeat it when you retry. " +
    "After a 503 or a timeout it is not known whether the submission was accepted: retry with the same key.",
  security: [{ key: [] }],
  headers: IdempotencyHeaders,
  body: SubmissionBody,
  querystring: WaitQuery,
  response: responses({ 200: Verdict, 202: Accepted }, [400, 401, 403, 409, 410, 413, 415, 503]),
};

/** Adds `POST /v1/submissions`: takes one submission in, and waits for its verdict where the caller asks for that. */
export function addSubmissionsRoute(app: App, deps: RouteDeps): void {
  const options = { schema: SCHEMA, config: { needs: ["submit", "test"] } } as const;
  app.post("/v1/submissions", options, async (request, reply) => {
    const answer = await submit(tenantOf(deps, request.tenant), {
      read: request.body,
      headers: request.headers,
      keyName: request.keyName,
      roles: request.roles,
      receivedAt: request.receivedAt,
      waitMs: request.query.wait ?? 0,
      leftMs: () => (request.query.wait ?? 0) - (performance.now() - request.startedAt),
      response: reply.raw,
    });
    if ("json" in answer) return reply.type(JSON_TYPE).send(answer.json);
    return reply.code(202).header("location", `/v1/verdicts/${answer.id}`).send(answer);
  });
}

interface Posted {
  readonly read: ReadSubmission;
  readonly headers: IncomingHttpHeaders & z.infer<typeof IdempotencyHeaders>;
  readonly keyName: string;
  readonly roles: readonly Role[];
  readonly receivedAt: number;
  readonly waitMs: number;
  readonly leftMs: () => number;
  readonly response: ServerResponse;
}

async function submit(deps: TenantDeps, posted: Posted): Promise<{ readonly json: string } | Accepted> {
  const { read, headers, receivedAt, waitMs } = posted;
  checkTestEvent(read.submission, { isTestKey: posted.roles.includes("test") });
  const key = readIdempotencyKey(headers["idempotency-key"], read.submission.event_id);
  checkObservedAt(read.submission.context, receivedAt);
  for (const field of read.invalidContextFields) deps.metrics.invalidContext(field);

  const id = submissionId(deps.tenant, posted.keyName, key);
  const acceptance = await acceptArrival(
    deps,
    { id, submission: traced(read.submission, headers), receivedAt },
    { withinMs: waitMs === 0 ? REDIS_ANSWER_MS : posted.leftMs(), awaited: waitMs > 0 },
  );
  const state =
    acceptance.status === "decided"
      ? await deps.reader.verdict(id)
      : await waitForVerdict(deps.waiter, id, { leftMs: posted.leftMs(), response: posted.response });
  if (state?.status === "decided") return { json: state.json };
  // Decided, but there is no verdict: it was kept for a shorter time than the record.
  if (acceptance.status === "decided" || acceptance.status === "conflict" || state !== undefined)
    throw expiredVerdict(id);
  return { id, status: waitMs > 0 ? "pending" : acceptance.status, durability: deps.durability };
}

function traced(submission: Submission, headers: IncomingHttpHeaders): Submission {
  const traceparent = readTraceparent(headers["traceparent"]);
  return traceparent === undefined ? submission : { ...submission, traceparent };
}
