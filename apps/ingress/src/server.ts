import { MAX_BODY_BYTES, type ProblemError } from "@assay/protocol";
import { fastify, type FastifyReply, type FastifyRequest } from "fastify";
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import type { Socket } from "node:net";
import { addArchiveRoutes } from "./archive-route.ts";
import { authenticate, authorize } from "./authenticate.ts";
import type { Surface } from "./config.ts";
import { observeRequests, type RequestObserver } from "./observe-requests.ts";
import { addOpenapi } from "./openapi.ts";
import { collectRoutes } from "./other-methods.ts";
import { addOutcomesRoute } from "./outcomes-route.ts";
import { headersOf, notFound, problemOf, unreadable } from "./problems.ts";
import type { App, RouteDeps } from "./route.ts";
import { addStreamRoute } from "./stream-route.ts";
import { addSubmissionsRoute } from "./submissions-route.ts";
import { addVerdictsRoutes } from "./verdicts-route.ts";
import { addWebhookRoutes } from "./webhook-route.ts";

/** What the server is made of. */
export interface ServerDeps extends RouteDeps, RequestObserver {
  readonly surface: Surface;
  /** Whether `/openapi.json` is served. */
  readonly openapi: boolean;
  /** Called for every answer of 500 or above. */
  readonly onTrouble: (problem: ProblemError) => void;
  /** Whether connections are to end with their next answer. */
  readonly isStopping: () => boolean;
}

// A request that has not arrived whole after this time is given up; Node looks every two seconds.
const REQUEST_TIMEOUT_MS = 10_000;
const TIMEOUT_CHECK_MS = 2000;
// Above the 60 s of common load balancers, so that they close idle connections and not this side.
const KEEP_ALIVE_TIMEOUT_MS = 72_000;

/** Builds the data plane's HTTP server. It does not listen. */
export async function createServer(deps: ServerDeps): Promise<App> {
  const app = createApp();
  observeRequests(app, deps);
  app.addHook("onSend", (_request, reply, payload, next) => {
    void reply.header("cache-control", "no-store");
    if (deps.isStopping()) void reply.header("connection", "close");
    next(null, payload);
  });
  app.setErrorHandler((error, request, reply) =>
    sendProblem(deps, problemOf(error, request.routeOptions.bodyLimit), request, reply),
  );
  app.setNotFoundHandler((request, reply) => sendProblem(deps, notFound(), request, reply));
  const refuseOtherMethods = collectRoutes(app);
  if (deps.openapi) await addOpenapi(app);
  if (deps.surface !== "webhooks") await addApi(app, deps);
  if (deps.surface !== "api") await addWebhookRoutes(app, deps);
  refuseOtherMethods();
  return app;
}

function createApp(): App {
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // Node gives the longer of the two timeouts to the whole request, and its own for the head is a minute.
    http: { connectionsCheckingInterval: TIMEOUT_CHECK_MS, headersTimeout: REQUEST_TIMEOUT_MS },
    // While it stops, what still comes in on open connections is answered as ever.
    return503OnClosing: false,
    clientErrorHandler: ({ code }, socket) => refuseUnreadable(unreadable(code), socket),
    // A path that cannot be decoded. No hook and no error handler runs for it.
    frameworkErrors: (error, _request, { raw }) => {
      const problem = problemOf(error);
      raw.writeHead(problem.toProblem().status, headersOf(problem)).end(JSON.stringify(problem.toProblem()));
    },
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.removeContentTypeParser("text/plain");
  return app;
}

// There is no request to reply to: the answer is written by hand.
function refuseUnreadable(problem: ProblemError, socket: Socket): void {
  if (!socket.writable) return;
  const body = JSON.stringify(problem.toProblem());
  const head = {
    ...headersOf(problem),
    "content-length": Buffer.byteLength(body),
    connection: "close",
  };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}`);
  socket.end(["HTTP/1.1 400 Bad Request", ...lines, "", body].join("\r\n"));
}

/** The routes of callers, behind their keys: a key says whose request it is, and what it may ask for. */
async function addApi(app: App, deps: ServerDeps): Promise<void> {
  await app.register((scope: App, _options, done) => {
    scope.addHook("onRoute", ({ url, config }) => {
      if (config?.needs === undefined) throw new TypeError(`The route ${url} does not say which role it needs.`);
    });
    scope.addHook("onRequest", (request, _reply, next) => {
      const { name, tenant, roles } = authenticate(request.headers.authorization, deps.credentials().keys);
      authorize(roles, request.routeOptions.config.needs ?? []);
      Object.assign(request, { keyName: name, tenant, roles });
      next();
    });
    addSubmissionsRoute(scope, deps);
    addOutcomesRoute(scope, deps);
    addVerdictsRoutes(scope, deps);
    addArchiveRoutes(scope, deps);
    addStreamRoute(scope, deps);
    done();
  });
}

function sendProblem(deps: ServerDeps, problem: ProblemError, request: FastifyRequest, reply: FastifyReply): void {
  const document = problem.toProblem();
  if (document.status >= 500) deps.onTrouble(problem);
  if (document.status === 401) {
    void reply.header("www-authenticate", `${schemeOf(problem, request)} realm="assay"`);
  }
  void reply.code(document.status).headers(headersOf(problem)).send(JSON.stringify(document));
}

/** How the caller is to prove itself. */
function schemeOf({ code }: ProblemError, { routeOptions }: FastifyRequest): string {
  if (code !== "unauthorized") return "FPJS-Event-Signature";
  return routeOptions.url?.startsWith("/v1/webhooks/") === true ? "Basic" : "Bearer";
}
