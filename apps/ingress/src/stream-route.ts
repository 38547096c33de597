import { wantedBy } from "@assay/client/filter";
import { BEGINNING, decodePlace, type StreamPlace } from "@assay/ledger";
import { ACTIONS, KINDS, ProblemError } from "@assay/protocol";
import { z } from "zod";
import { responses } from "./openapi.ts";
import { type App, type RouteDeps, tenantOf } from "./route.ts";

const LAST_EVENT_ID = "The id of the last event that you had, as it came. What came after it is sent first.";

const Query = z.object({
  action: several(z.enum(ACTIONS)).describe("Only verdicts with this action. May be repeated."),
  flow: several(z.string()).describe("Only verdicts of this flow. May be repeated."),
  kind: several(z.enum(KINDS)).describe("Only verdicts on submissions of this kind. May be repeated."),
  test: z.enum(["true", "false"]).optional().describe("`true`: verdicts on test events, and no others."),
  from: z
    .enum(["now", "beginning"])
    .optional()
    .describe("Where to begin without a last event id: now (default), or with all that the stream still holds."),
  last_event_id: z.string().optional().describe(`${LAST_EVENT_ID} For callers that cannot send the header.`),
});
const Headers = z.object({ "last-event-id": z.string().optional().describe(LAST_EVENT_ID) });

const STREAM = {
  summary: "Receive verdicts as they are made",
  description: [
    "Server-sent events. `verdict.decided` brings a verdict in its envelope. `stream.trimmed` says that verdicts had left",
    "the stream before they were sent: how many (`lost`, where that is known), and of which time (`from`, `to`). Where",
    "there is an archive, `archive` says whether they come from there, next (`follows`), or it is `away`, or has not got",
    "them (`missing`).",
    "`stream.slow` ends a stream whose reader leaves too much unread, `stream.closing` one whose process stops: connect",
    "again with Last-Event-ID. A comment comes every 15 seconds. Delivery is at least once: dedupe by the verdict's id.",
  ].join(" "),
  security: [{ key: [] }],
  querystring: Query,
  headers: Headers,
  response: {
    200: {
      description: "Events, for as long as both sides like.",
      content: { "text/event-stream": { schema: z.string() } },
    },
    ...responses({}, [400, 401, 403, 503]),
  },
};

/** Adds `GET /v1/stream`: verdicts as server-sent events. */
export function addStreamRoute(app: App, deps: RouteDeps): void {
  const options = { schema: STREAM, config: { needs: ["read"] }, exposeHeadRoute: false } as const;
  app.get("/v1/stream", options, async (request, reply) => {
    const { action, flow, kind, test, from, last_event_id: byQuery } = request.query;
    const tenant = tenantOf(deps, request.tenant);
    const after = readPlace(request.headers["last-event-id"] ?? byQuery, from);
    const wants = wantedBy({
      ...(action === undefined ? {} : { action }),
      ...(flow === undefined ? {} : { flow }),
      ...(kind === undefined ? {} : { kind }),
      test: test === "true",
    });
    const seat = deps.streams.take();
    const feed = await tenant.feed.open().catch((error: unknown) => {
      seat.giveUp();
      throw error;
    });
    void reply.hijack();
    request.lasts();
    seat.open({ response: reply.raw, feed, tenant: tenant.tenant, wants, ...(after === undefined ? {} : { after }) });
  });
}

function readPlace(lastEventId: string | undefined, from: "now" | "beginning" | undefined): StreamPlace | undefined {
  if (lastEventId === undefined || lastEventId === "") return from === "beginning" ? BEGINNING : undefined;
  const place = decodePlace(lastEventId);
  if (place !== undefined) return place;
  throw new ProblemError("invalid_field", "Last-Event-ID must be the id that came with an event, as it was.", {
    field: "last_event_id",
  });
}

function several<Value extends z.ZodType>(value: Value) {
  return z.preprocess((one) => (one === undefined ? one : [one].flat()), z.array(value).optional());
}
