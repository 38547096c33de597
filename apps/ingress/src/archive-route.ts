import { ACTIONS, isEventId, ProblemError, readTime } from "@assay/protocol";
import { Verdict } from "@assay/protocol/schemas";
import { z } from "zod";
import { closedQuery } from "./closed-query.ts";
import { responses } from "./openapi.ts";
import { type App, archiveOf, JSON_TYPE, type RouteDeps, tenantOf } from "./route.ts";

const MAX_TEXT = 256;
const MAX_PAGE = 100;
const TEXT_RULE = `must be given once, with 1 to ${MAX_TEXT} characters.`;
const TIME_RULE = "must be unix milliseconds, or an ISO time such as 2026-12-31T18:00:00Z.";
const LIMIT_RULE = `limit must be a number from 1 to ${MAX_PAGE}.`;
const ACTION_RULE = `action must be one of ${ACTIONS.join(", ")}.`;

const Query = closedQuery({
  user_id: text("user_id").describe("Only verdicts with this context.user_id."),
  reference: text("reference").describe("Only verdicts with this context.reference."),
  visitor_id: text("visitor_id"),
  linked_id: text("linked_id"),
  event_id: text("event_id"),
  action: z.enum(ACTIONS, ACTION_RULE).optional(),
  rule: text("rule").describe("Only verdicts for which this rule, or this entry of integrity, fired."),
  since: time("since").describe("Received at this time or later: unix ms or ISO."),
  until: time("until").describe("Received before this time: unix ms or ISO."),
  limit: z
    .string(LIMIT_RULE)
    .regex(/^\d{1,3}$/, LIMIT_RULE)
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= MAX_PAGE, LIMIT_RULE)
    .optional()
    .meta({ type: "integer", minimum: 1, maximum: MAX_PAGE, pattern: undefined })
    .describe(`Verdicts of a page; ${MAX_PAGE} when absent.`),
  cursor: text("cursor").describe("From the page before, with the same filters."),
});

const VerdictPage = z
  .object({
    verdicts: z.array(Verdict).describe("Newest first, by the time they were received."),
    cursor: z.string().optional().describe("Asks for the next page; absent on the last one."),
  })
  .meta({ id: "VerdictPage" });

const ArchivedEvent = z
  .object({
    id: z.string().describe("The submission's."),
    received_at: z.int().describe("Unix ms."),
    submission: z.record(z.string(), z.unknown()).describe("What was handed in: kind, context, facts."),
    event: z.record(z.string(), z.unknown()).describe("The event that was judged, in the shape of Server API v4."),
  })
  .meta({ id: "ArchivedEvent" });

const LIST = {
  summary: "Find verdicts in the archive",
  description: "All filters together. A verdict is in the archive a moment after it was made; test events never are.",
  security: [{ key: [] }],
  querystring: Query,
  response: responses({ 200: VerdictPage }, [400, 401, 403, 501, 503]),
};
const EVENT = {
  summary: "Read an event, and what was handed in with it",
  description: "The latest of what this event id brought, while the archive keeps events. It holds personal data.",
  security: [{ key: [] }],
  params: z.object({ event_id: z.string() }),
  response: responses({ 200: ArchivedEvent }, [401, 403, 404, 501, 503]),
};

/** Adds the routes that ask the archive: for verdicts by filters, and for an event. */
export function addArchiveRoutes(app: App, deps: RouteDeps): void {
  app.get("/v1/verdicts", { schema: LIST, config: { needs: ["read"] } }, async (request, reply) => {
    const { tenant } = tenantOf(deps, request.tenant);
    const { user_id, visitor_id, linked_id, event_id, ...filter } = request.query;
    const ids = { userId: user_id, visitorId: visitor_id, linkedId: linked_id, eventId: event_id };
    const page = await archiveOf(deps).read((archive) => archive.verdicts({ ...filter, ...ids, tenant }));
    const cursor = page.cursor === undefined ? "" : `,"cursor":${JSON.stringify(page.cursor)}`;
    const verdicts = page.verdicts.map(({ verdict }) => verdict).join(",");
    return reply.type(JSON_TYPE).send(`{"verdicts":[${verdicts}]${cursor}}`);
  });
  app.get("/v1/events/:event_id", { schema: EVENT, config: { needs: ["read_personal"] } }, async (request, reply) => {
    const { event_id: id } = request.params;
    const { tenant } = tenantOf(deps, request.tenant);
    const archive = archiveOf(deps);
    const found = isEventId(id) ? await archive.read((kept) => kept.event({ tenant, id })) : undefined;
    if (found?.event === undefined) {
      throw new ProblemError("not_found", "The archive holds no event of this id, or no longer.");
    }
    const { submissionId, receivedAt, submission, event } = found;
    const head = `"id":${JSON.stringify(submissionId)},"received_at":${receivedAt}`;
    return reply.type(JSON_TYPE).send(`{${head},"submission":${submission},"event":${event}}`);
  });
}

function text(name: string) {
  const rule = `${name} ${TEXT_RULE}`;
  return z.string(rule).min(1, rule).max(MAX_TEXT, rule).optional();
}

function time(name: string) {
  const rule = `${name} ${TIME_RULE}`;
  return z
    .string(rule)
    .transform((written, context) => {
      const timeMs = readTime(written);
      if (timeMs !== undefined) return timeMs;
      context.addIssue({ code: "custom", message: rule });
      return z.NEVER;
    })
    .optional();
}
