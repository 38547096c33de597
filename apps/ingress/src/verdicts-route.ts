import { isEventId, isSubmissionId, ProblemError, redriveOf } from "@assay/protocol";
import { SubmissionStatus, Verdict } from "@assay/protocol/schemas";
import { z } from "zod";
import type { ArchiveLink } from "./archive-link.ts";
import { responses } from "./openapi.ts";
import { expiredVerdict, unknownSubmission } from "./problems.ts";
import { type App, JSON_TYPE, type RouteDeps, type TenantDeps, tenantOf } from "./route.ts";
import { WaitQuery, waitForVerdict } from "./wait.ts";

const security = [{ key: [] }];
const config = { needs: ["read"] } as const;
const IdParams = z.object({ id: z.string().describe("Submission id.") });
const EventParams = z.object({ event_id: z.string() });

const Pending = z.object({ id: z.string(), status: z.literal("pending") }).meta({ id: "Pending" });
const EventVerdicts = z
  .object({ verdicts: z.array(Verdict).describe("Newest first, at most 100.") })
  .meta({ id: "EventVerdicts" });

const VERDICT = {
  summary: "Read the verdict of a submission",
  security,
  params: IdParams,
  querystring: WaitQuery,
  response: responses({ 200: Verdict, 202: Pending }, [400, 401, 403, 404, 410, 503]),
};
const SUBMISSION = {
  summary: "Read where a submission stands",
  security,
  params: IdParams,
  response: responses({ 200: SubmissionStatus }, [401, 403, 404, 503]),
};
const EVENT_VERDICTS = {
  summary: "Read the verdicts on an event",
  security,
  params: EventParams,
  response: responses({ 200: EventVerdicts }, [401, 403, 404, 503]),
};

/** Adds the routes that read: a verdict, a submission's state, the verdicts on an event. */
export function addVerdictsRoutes(app: App, deps: RouteDeps): void {
  app.get("/v1/verdicts/:id", { schema: VERDICT, config }, async (request, reply) => {
    const { id } = request.params;
    const leftMs = () => (request.query.wait ?? 0) - (performance.now() - request.startedAt);
    const tenant = tenantOf(deps, request.tenant);
    const json = await readVerdict(tenant, deps.archive, id, (pending) =>
      waitForVerdict(tenant.waiter, pending, { leftMs: leftMs(), response: reply.raw }),
    );
    if (json !== undefined) return reply.type(JSON_TYPE).send(json);
    return reply.code(202).send({ id, status: "pending" });
  });
  app.get("/v1/submissions/:id", { schema: SUBMISSION, config }, async (request) => {
    const { id } = request.params;
    const state = isSubmissionId(id) ? await tenantOf(deps, request.tenant).reader.submission(id) : undefined;
    if (state === undefined) throw unknownSubmission(id);
    const { status, lane, tries, label, outcomes, redrivenAs } = state;
    const before = redriveOf(id);
    return {
      id,
      status,
      lane,
      tries,
      ...(status === "snoozed" ? { snoozed: state.snoozed } : {}),
      ...(label === undefined ? {} : { label }),
      ...(outcomes === undefined ? {} : { outcomes: [...outcomes] }),
      ...(redrivenAs === undefined ? {} : { redriven_as: redrivenAs }),
      ...(before === undefined ? {} : { redrive_of: before }),
    };
  });
  app.get("/v1/events/:event_id/verdicts", { schema: EVENT_VERDICTS, config }, async (request, reply) => {
    const { event_id: eventId } = request.params;
    if (!isEventId(eventId)) {
      throw new ProblemError(
        "not_found",
        "The path holds no event id: 1 to 64 characters of A-Z, a-z, 0-9, . _ and -.",
      );
    }
    const verdicts = await tenantOf(deps, request.tenant).reader.eventVerdicts(eventId);
    return reply.type(JSON_TYPE).send(`{"verdicts":[${verdicts.join(",")}]}`);
  });
}

/** The verdict's JSON, by Redis or else by the archive; undefined while it is pending. */
async function readVerdict(
  { reader, tenant }: TenantDeps,
  archive: ArchiveLink | undefined,
  id: string,
  wait: (id: string) => ReturnType<typeof waitForVerdict>,
): Promise<string | undefined> {
  const known = isSubmissionId(id) ? await reader.verdict(id) : undefined;
  const state = known?.status === "pending" ? ((await wait(id)) ?? known) : known;
  switch (state?.status) {
    case "decided":
      return state.json;
    case "pending":
      return undefined;
    case "expired":
    case "unknown": {
      const archived = await archive?.read((kept) => kept.verdict({ tenant, id }));
      if (archived !== undefined) return archived.verdict;
      throw state.status === "expired" ? expiredVerdict(id) : unknownSubmission(id);
    }
    case undefined:
      throw unknownSubmission(id);
  }
}
