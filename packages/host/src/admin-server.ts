import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Registry } from "prom-client";
import type { Logger } from "./logger.ts";

/** What `/readyz` answers: whether this process can do its work, and of each thing it needs "ok" or what is wrong. */
export interface ReadyReport {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, string>>;
}

export interface AdminServer {
  /** Resolves when it listens, with the port. Rejects with an AdminServerError when it cannot. */
  start(): Promise<{ port: number }>;
  /** Resolves when the port is closed. */
  stop(): Promise<void>;
}

export interface AdminServerOptions {
  /** 0 takes any free port. */
  readonly port: number;
  /** Default: every address of the machine. */
  readonly host?: string;
  readonly registry: Registry;
  readonly ready: () => ReadyReport | Promise<ReadyReport>;
  /** False asks the platform to restart this process. Rejecting counts as false. */
  readonly live: () => boolean | Promise<boolean>;
  readonly logger: Logger;
}

/** The admin port cannot be opened. */
export class AdminServerError extends Error {
  override readonly name = "AdminServerError";
  readonly code = "admin_port_unavailable";
}

/** Serves `/metrics`, `/livez` and `/readyz` of one process. */
export function createAdminServer(options: AdminServerOptions): AdminServer {
  let server: Server | undefined;
  return {
    async start() {
      server = createServer((request, response) => {
        answer(options, request, response).catch((error: unknown) => {
          options.logger.error({ err: error }, "admin request failed");
          send(response, 503, { error: "internal_error" });
        });
      });
      return { port: await listen(server, options) };
    },
    async stop() {
      const stopping = server;
      server = undefined;
      if (stopping?.listening !== true) return;
      const closed = once(stopping, "close");
      stopping.close();
      stopping.closeAllConnections();
      await closed;
    },
  };
}

async function listen(server: Server, { port, host }: AdminServerOptions): Promise<number> {
  server.listen({ port, ...(host === undefined ? {} : { host }) });
  try {
    await once(server, "listening");
  } catch (cause) {
    throw new AdminServerError(
      `Port ${port} cannot be opened for the admin server. Free it, or set ASSAY_ADMIN_PORT to another (0 takes any).`,
      { cause },
    );
  }
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}

async function answer(options: AdminServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    return send(response, 405, { error: "method_not_allowed" });
  }
  const path = (request.url ?? "/").replace(/\?.*$/s, "");
  switch (path) {
    case "/metrics": {
      const text = await options.registry.metrics();
      response.writeHead(200, { "content-type": options.registry.contentType }).end(text);
      return;
    }
    case "/livez": {
      const live = await options.live();
      return send(response, live ? 200 : 503, { live });
    }
    case "/readyz": {
      const report = await options.ready();
      return send(response, report.ready ? 200 : 503, report);
    }
    default:
      return send(response, 404, { error: "not_found", known: ["/metrics", "/livez", "/readyz"] });
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent) return;
  response
    .writeHead(status, { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" })
    .end(`${JSON.stringify(body)}\n`);
}
