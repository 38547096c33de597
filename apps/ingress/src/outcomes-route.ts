import { report, unconfirmed } from "@assay/client/report";
import {
  MAX_OUTCOME_BYTES,
  type Outcome,
  outcomeId,
  type ProblemCode,
  ProblemError,
  readIdempotencyKey,
} from "@assay/protocol";
import { OutcomeAccepted, OutcomeBody } from "@assay/protocol/schemas";
import { memoryShed, REDIS_ANSWER_MS } from "./accept-arrival.ts";
import { IdempotencyHeaders } from "./idempotency-headers.ts";
import type { OutcomeResult } from "./metrics.ts";
import { responses } from "./openapi.ts";
import { type App, type RouteDeps, type TenantDeps, tenantOf } from "./route.ts";
import { within } from "./within.ts";

const SCHEMA = {
  summary: "Tell what became of a submission",
  description:
    "Counters on outcomes count it, and the submission shows it. It is no use of the event. By event_id or reference " +
    "the newest decided submission is meant, one that a caller presented before any other; one that is not decided yet " +
    "is found by its submission_id alone. Send an Idempotency-Key that names your operation, and repeat it when you retry.",
  security: [{ key: [] }],
  headers: IdempotencyHeaders,
  body: OutcomeBody,
  response: responses({ 202: OutcomeAccepted }, [400, 401, 403, 404, 409, 413, 415, 503]),
};

const RESULTS: { readonly [code in ProblemCode]?: OutcomeResult } = {
  submission_not_found: "not_found",
  outcome_conflict: "conflict",
  memory_shed: "shed",
  overloaded: "shed",
};

/** Adds `POST /v1/outcomes`: keeps what became of a submission, and counts it. */
export function addOutcomesRoute(app: App, deps: RouteDeps): void {
  const options = { schema: SCHEMA, bodyLimit: MAX_OUTCOME_BYTES, config: { needs: ["submit"] } } as const;
  app.post("/v1/outcomes", options, async (request, reply) => {
    const outcome = request.body;
    const eventId = outcome.about.by === "event_id" ? outcome.about.value : undefined;
    const key = readIdempotencyKey(request.headers["idempotency-key"], eventId);
    const tenant = tenantOf(deps, request.tenant);
    const receipt = await tell(tenant, outcomeId(tenant.tenant, request.keyName, key), outcome);
    return reply.code(202).send({ ...receipt, durability: tenant.durability });
  });
}

async function tell(deps: TenantDeps, id: string, outcome: Outcome) {
  try {
    // Nobody waits in the background for it: it goes with what callers hand in.
    if (!deps.admission.admits("results")) throw memoryShed();
    const receipt = await within(report(deps.outcomes, id, outcome), REDIS_ANSWER_MS, () => unconfirmed(id));
    deps.metrics.outcome(receipt.status);
    return receipt;
  } catch (error) {
    const result = resultOf(error);
    if (result !== undefined) deps.metrics.outcome(result);
    throw error;
  }
}

/** Undefined for what is wrong with the request itself. */
function resultOf(error: unknown): OutcomeResult | undefined {
  const code = error instanceof ProblemError ? error.code : "internal_error";
  return code === "invalid_field" ? undefined : (RESULTS[code] ?? "unconfirmed");
}
