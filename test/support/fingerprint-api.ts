import { createServer, type ServerResponse } from "node:http";
import type { Event } from "@assay/protocol";

/** How the stand-in answers one request. */
type Answer = { readonly status: number; readonly body?: unknown };

/** A stand-in for the vendor's Server API on loopback. */
export interface FingerprintApi {
  /** For `ASSAY_FINGERPRINT_API_URL`. */
  readonly url: string;
  /** Event ids asked for, in order. */
  readonly asked: readonly string[];
  /** When each was asked for, by `performance.now()`. */
  readonly askedAt: readonly number[];
  /** The API key of each. */
  readonly keysAsked: readonly string[];
  /** Refuses, and accepts again, an API key. */
  refuse(apiKey: string): void;
  accept(apiKey: string): void;
  /** Answers every request so; undefined answers by what is known again. */
  answerAll(answer: Answer | undefined): void;
  /** Answers every request this much later. */
  delayAll(ms: number): void;
  /** Makes an event known. */
  add(event: Event): void;
  /** Answers of the next requests for this id, before the store is asked. */
  script(eventId: string, ...answers: readonly Answer[]): void;
  stop(): Promise<void>;
}

export async function startFingerprintApi(): Promise<FingerprintApi> {
  const events = new Map<string, Event>();
  const scripts = new Map<string, Answer[]>();
  const asked: string[] = [];
  const askedAt: number[] = [];
  const keysAsked: string[] = [];
  const refused = new Set<string>();
  let always: Answer | undefined;
  let delayMs = 0;
  const server = createServer((request, response) => {
    const eventId = decodeURIComponent(/\/events\/([^?]+)/.exec(request.url ?? "")?.[1] ?? "");
    asked.push(eventId);
    askedAt.push(performance.now());
    const apiKey = request.headers.authorization?.replace("Bearer ", "") ?? "";
    keysAsked.push(apiKey);
    setTimeout(() => answer(response, eventId, apiKey), delayMs);
  });

  function answer(response: ServerResponse, eventId: string, apiKey: string): void {
    if (refused.has(apiKey))
      return send(response, { status: 403, body: error("secret_api_key_not_found", "secret key not found") });
    if (always !== undefined) return send(response, always);
    const scripted = scripts.get(eventId)?.shift();
    if (scripted !== undefined) return send(response, scripted);
    const event = events.get(eventId);
    if (event === undefined)
      return send(response, { status: 404, body: error("event_not_found", "event id not found") });
    return send(response, { status: 200, body: event });
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    askedAt,
    keysAsked,
    refuse: (apiKey) => void refused.add(apiKey),
    accept: (apiKey) => void refused.delete(apiKey),
    answerAll: (given) => {
      always = given;
    },
    delayAll: (ms) => {
      delayMs = ms;
    },
    add: (event) => void events.set(event.event_id, event),
    script: (eventId, ...answers) => void scripts.set(eventId, [...answers]),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An error body as the vendor writes it. */
export function error(code: string, message: string): unknown {
  return { error: { code, message } };
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body ?? {}));
}
