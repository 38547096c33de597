import { toEvent } from "@assay/fingerprint";
import { DEFAULT_TENANT, isRecord, MAX_EVENT_BYTES, ProblemError, webhookId } from "@assay/protocol";
import { Accepted } from "@assay/protocol/schemas";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { acceptArrival, REDIS_ANSWER_MS } from "./accept-arrival.ts";
import { admitWebhook, verifyWebhook } from "./authenticate.ts";
import { bringAhead, bringEvent, isDropped } from "./bring-event.ts";
import { responses } from "./openapi.ts";
import { invalidJson } from "./problems.ts";
import type { WebhookCredentials } from "./credentials.ts";
import { type App, type RouteDeps, type TenantDeps, tenantOf } from "./route.ts";
import { readTraceparent } from "./traceparent.ts";

const SignatureHeaders = z.looseObject({
  "fpjs-event-signature": z.string().optional().describe("v1= and the hex HMAC-SHA256 of the body."),
});

const SCHEMA = {
  summary: "Receive Fingerprint's webhook",
  description:
    "Signed by fpjs-event-signature. Only while no webhook secret is configured: Basic authorization or ?token=. " +
    "The first body of an event is kept; of one that was erased, nothing is. Where webhooks get no verdict, it only brings its event to whoever asks for that.",
  headers: SignatureHeaders,
  body: z.unknown().meta({ type: "object", description: "An event of Fingerprint's Server API, v4 or v3." }),
  response: responses({ 202: Accepted }, [400, 401, 404, 413, 503]),
};

/**
 * Adds `POST /v1/webhooks/fingerprint[/{tenant}]`. Fingerprint takes an answer after 3 s for none and comes again once,
 * five minutes later; this one answers within 2.4 s.
 */
export async function addWebhookRoutes(app: App, deps: RouteDeps): Promise<void> {
  await app.register((scope: App, _options, done) => {
    // The signature is over the bytes, so they are kept as they came, whatever they are said to be.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, parsed) => parsed(null, body));
    for (const url of ["/v1/webhooks/fingerprint", "/v1/webhooks/fingerprint/:tenant"]) {
      scope.route({
        method: "POST",
        url,
        schema: SCHEMA,
        bodyLimit: MAX_EVENT_BYTES,
        onRequest: (request, _reply, next) => {
          admit(deps, request);
          next();
        },
        handler: async (request, reply) => {
          const { accepted, getsVerdict } = await receive(deps, request);
          if (getsVerdict) void reply.header("location", `/v1/verdicts/${accepted.id}`);
          return reply.code(202).send(accepted);
        },
      });
    }
    done();
  });
}

/** Refuses what can be refused before the body is read. */
function admit(deps: RouteDeps, { params, query, headers }: FastifyRequest): void {
  const { tenant } = addressee(deps, params);
  const proof = {
    signature: signatureOf(headers),
    authorization: headers.authorization,
    token: textOf(query, "token"),
  };
  admitWebhook(proof, credentialsOf(deps, tenant));
}

/** The tenant that the path names; the default one where it names none. */
function addressee(deps: RouteDeps, params: unknown): TenantDeps {
  return tenantOf(deps, textOf(params, "tenant") ?? DEFAULT_TENANT);
}

function credentialsOf({ credentials }: RouteDeps, tenant: string): WebhookCredentials {
  return credentials().webhooks.get(tenant) ?? { secrets: [] };
}

interface Received {
  readonly accepted: Accepted;
  readonly getsVerdict: boolean;
}

async function receive(routeDeps: RouteDeps, request: FastifyRequest): Promise<Received> {
  const deps = addressee(routeDeps, request.params);
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  verifyWebhook(body, signatureOf(request.headers), credentialsOf(routeDeps, deps.tenant).secrets);
  const read = toEvent(parseJson(body));
  if (!read.ok) {
    throw new ProblemError(
      "webhook_not_an_event",
      `The body is not an event of Fingerprint's Server API (${read.reason}). Send its webhook as it is.`,
    );
  }
  const { event } = read;
  const id = webhookId(deps.tenant, event.event_id);
  const accept = (isNew: boolean): Accepted => ({
    id,
    status: isNew ? "accepted" : "duplicate",
    durability: deps.durability,
  });
  const startedAt = performance.now();
  if (await isDropped(deps, id, event)) return { accepted: accept(false), getsVerdict: false };
  if (deps.webhookVerdicts === "none")
    return { accepted: accept(await bringEvent(deps, id, event)), getsVerdict: false };
  const traceparent = readTraceparent(request.headers["traceparent"]);
  const [{ status }] = await Promise.all([
    acceptArrival(
      deps,
      {
        id,
        submission: {
          kind: "webhook",
          event_id: event.event_id,
          payload: body,
          ...(traceparent === undefined ? {} : { traceparent }),
        },
        receivedAt: request.receivedAt,
      },
      { withinMs: REDIS_ANSWER_MS - (performance.now() - startedAt), awaited: false },
    ),
    bringAhead(deps, event),
  ]);
  return { accepted: accept(status === "accepted"), getsVerdict: true };
}

function signatureOf(headers: FastifyRequest["headers"]): string | undefined {
  return headers["fpjs-event-signature"]?.toString();
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw invalidJson();
  }
}

function textOf(record: unknown, name: string): string | undefined {
  const value: unknown = isRecord(record) ? record[name] : undefined;
  return typeof value === "string" ? value : undefined;
}
