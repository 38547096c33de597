import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Certificate } from "./certificates.ts";

/** One webhook that came in. */
export interface ReceivedWebhook {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** From `performance.now()`. */
  readonly at: number;
}

/** Answers one webhook, after all of it has been read. */
export type Answering = (response: ServerResponse, received: ReceivedWebhook) => void;

/** Says 204. */
export const taking: Answering = (response) => void response.writeHead(204).end();

/** Says a status. */
export const saying =
  (status: number, headers: Record<string, string> = {}): Answering =>
  (response) =>
    void response.writeHead(status, headers).end();

/** Never answers. */
export const silent: Answering = () => undefined;

/** A receiver of webhooks on loopback, with a behaviour for each path; a path without one takes everything. */
export interface WebhookReceiver {
  readonly port: number;
  url(path: string): string;
  behave(path: string, answering: Answering): void;
  /** What came to a path, in order. */
  received(path: string): readonly ReceivedWebhook[];
  /** Most requests of a path that were open at once. */
  mostAtOnce(path: string): number;
  stop(): Promise<void>;
}

/** With a certificate it takes https alone, as `localhost`. */
export async function openWebhookReceiver(certificate?: Certificate): Promise<WebhookReceiver> {
  const behaviours = new Map<string, Answering>();
  const all: ReceivedWebhook[] = [];
  const open = new Map<string, { now: number; most: number }>();
  const receive = async (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? "";
    const count = open.get(path) ?? { now: 0, most: 0 };
    open.set(path, count);
    count.now++;
    count.most = Math.max(count.most, count.now);
    response.on("close", () => count.now--);
    const received = { path, headers: request.headers, body: await readBody(request), at: performance.now() };
    all.push(received);
    (behaviours.get(path) ?? taking)(response, received);
  };
  const listener = (request: IncomingMessage, response: ServerResponse) => void receive(request, response);
  const server = certificate === undefined ? createServer(listener) : createTlsServer({ ...certificate }, listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The receiver has no port.");
  const { port } = address;
  return {
    port,
    url: (path) => (certificate === undefined ? `http://127.0.0.1:${port}${path}` : `https://localhost:${port}${path}`),
    behave: (path, answering) => void behaviours.set(path, answering),
    received: (path) => all.filter((one) => one.path === path),
    mostAtOnce: (path) => open.get(path)?.most ?? 0,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
  } catch {
    // Whoever sent it is dead.
  }
  return Buffer.concat(chunks).toString();
}
