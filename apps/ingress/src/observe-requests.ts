import type { Logger } from "@assay/host";
import type { FastifyRequest } from "fastify";
import type { IngressMetrics } from "./metrics.ts";
import type { App } from "./route.ts";

/** What watches the requests. */
export interface RequestObserver {
  readonly metrics: IngressMetrics;
  readonly logger: Logger;
  /** Unix ms. */
  readonly now: () => number;
  /** How many requests are in hand, at each change; and whether the change was that one ended. */
  readonly onInHand: (count: number, oneEnded: boolean) => void;
}

/** Status in metrics where the caller left before there was an answer. */
const CALLER_LEFT = 499;

/**
 * Stamps each request when it arrives, and counts and logs it when it has ended, also where the caller left. An answer
 * that lasts has ended, here, when it begins.
 */
export function observeRequests(app: App, { metrics, logger, now, onInHand }: RequestObserver): void {
  let inHand = 0;
  app.decorateRequest("receivedAt", 0);
  app.decorateRequest("startedAt", 0);
  app.decorateRequest("keyName", "");
  app.decorateRequest("tenant", "");
  app.decorateRequest("roles");
  app.decorateRequest("lasts");
  app.addHook("onRequest", (request, reply, next) => {
    request.receivedAt = now();
    request.startedAt = performance.now();
    request.roles = [];
    onInHand(++inHand, false);
    const onClose = () => end(reply.raw.writableFinished ? reply.raw.statusCode : CALLER_LEFT);
    const end = (code: number) => {
      reply.raw.off("close", onClose);
      onInHand(--inHand, true);
      ended(request, code);
    };
    reply.raw.once("close", onClose);
    request.lasts = () => end(reply.raw.statusCode);
    next();
  });

  function ended(request: FastifyRequest, code: number): void {
    // A pattern, never a path: paths hold ids.
    const route = request.routeOptions.url ?? "none";
    const durationMs = performance.now() - request.startedAt;
    metrics.request(route, code, durationMs / 1000);
    logger.debug({ method: request.method, route, code, duration_ms: Math.round(durationMs) }, "request ended");
  }
}
